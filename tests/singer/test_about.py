"""`--about`: every setting and capability, in every format that the SDK has."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.about import AboutFormatter

from tests.support.chain import PROJECT
from tests.support.runs import TAP, run_tap
from tests.support.serving import serve

if TYPE_CHECKING:
    from pathlib import Path

# The text format is the default one, and cannot be asked for by its name.
FORMATS = {"text": [], "json": ["--format", "json"], "markdown": ["--format", "markdown"]}
CAPABILITIES = (
    "catalog", "state", "discover", "about", "stream-maps", "schema-flattening", "batch",
    "structured-logging",
)  # fmt: skip


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the tap says of itself without any setting."""
    run = run_tap({}, tmp_path_factory.mktemp("about"), "--about", *FORMATS["json"])
    assert run.status == 0, run.log
    said: dict[str, Any] = json.loads(run.output)
    return said


def test_these_are_all_formats() -> None:
    assert set(FORMATS) == set(AboutFormatter.formats)


@pytest.mark.parametrize("form", FORMATS)
def test_names_every_setting_and_shows_no_secret(
    form: str, about: dict[str, Any], tmp_path: Path
) -> None:
    # Nobody serves it: `--about` asks nobody.
    config = serve(orders=1).config()
    run = run_tap(config, tmp_path, "--about", *FORMATS[form])
    assert run.status == 0, run.log
    settings = about["settings"]["properties"]
    for name in settings:
        assert re.search(rf"\b{name}\b", run.output), name
    for capability in CAPABILITIES:
        assert capability in run.output
    secrets = [name for name in config if settings[name].get("secret")]
    assert len(secrets) == 2 * 3
    for name in secrets:
        assert config[name] not in run.output + run.log, name


def test_json_describes_every_setting(about: dict[str, Any]) -> None:
    assert about["name"] == TAP.name
    sample = json.loads((PROJECT / "sample_config.json").read_text(encoding="utf-8"))
    assert sample.keys() <= about["settings"]["properties"].keys()
    assert all(field["description"] for field in about["settings"]["properties"].values())


def test_markdown_is_a_table_of_four_columns(about: dict[str, Any], tmp_path: Path) -> None:
    shown = run_tap({}, tmp_path, "--about", *FORMATS["markdown"]).output
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(rows) >= 2 + len(about["settings"]["properties"])
    assert {row.count("|") for row in rows} == {5}
