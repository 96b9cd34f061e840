"""`--about`: every setting and capability, in every format that the SDK has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from singer_sdk.about import AboutFormatter

from tests.support.chain import PROJECT
from tests.support.runs import TAP, Run, run_tap
from tests.support.serving import serve

# The text format is the default one, and cannot be asked for by its name.
FORMATS = {"text": [], "json": ["--format", "json"], "markdown": ["--format", "markdown"]}
CAPABILITIES = (
    "catalog", "state", "discover", "about", "stream-maps", "schema-flattening", "batch",
    "structured-logging",
)  # fmt: skip


# Nobody serves it: `--about` asks nobody.
CONFIG = serve(orders=1).config()


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return what the tap prints about itself in each format."""
    folder = tmp_path_factory.mktemp("about")
    return {form: run_tap(CONFIG, folder, "--about", *FORMATS[form]) for form in FORMATS}


@pytest.fixture(scope="module")
def about(printed: dict[str, Run]) -> dict[str, Any]:
    """Return the same as JSON."""
    found: dict[str, Any] = json.loads(printed["json"].output)
    return found


def test_these_are_all_formats() -> None:
    assert set(FORMATS) == set(AboutFormatter.formats)


@pytest.mark.parametrize("form", FORMATS)
def test_names_every_setting_and_shows_no_secret(
    form: str, about: dict[str, Any], printed: dict[str, Run]
) -> None:
    run = printed[form]
    assert run.status == 0, run.log
    settings = about["settings"]["properties"]
    for name in settings:
        assert re.search(rf"\b{name}\b", run.output), name
    for capability in CAPABILITIES:
        assert capability in run.output
    secrets = [name for name in CONFIG if settings[name].get("secret")]
    assert len(secrets) == 2 * 3
    for name in secrets:
        assert CONFIG[name] not in run.output + run.log, name


def test_json_describes_every_setting(about: dict[str, Any]) -> None:
    assert about["name"] == TAP.name
    sample = json.loads((PROJECT / "sample_config.json").read_text(encoding="utf-8"))
    assert sample.keys() <= about["settings"]["properties"].keys()
    assert all(field["description"] for field in about["settings"]["properties"].values())


def test_markdown_is_a_table_of_four_columns(
    about: dict[str, Any], printed: dict[str, Run]
) -> None:
    rows = [line for line in printed["markdown"].output.splitlines() if line.startswith("|")]
    assert len(rows) >= 2 + len(about["settings"]["properties"])
    assert {row.count("|") for row in rows} == {5}
