"""Settings in the documentation: docs/settings.md is what `--about` says; no table disagrees."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.settings import SCHEMA
from tap_amazon_business.tap import TapAmazonBusiness
from tools import PROJECT
from tools.settings_page import PAGE, page

if TYPE_CHECKING:
    from pathlib import Path

# The settings that the SDK adds are there once a tap has been made.
TapAmazonBusiness(config={}, validate_config=False)

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
DEFAULTS = {
    name: field["default"] for name, field in SCHEMA["properties"].items() if "default" in field
}


def listed(text: str) -> list[tuple[str, str]]:
    """Return the settings of all tables that have a column for the default, each with its cell."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
        ]
        if {"setting", "default"} <= {*head}:
            for row in rows:
                names = re.findall(r"`(\w+)`", row[head.index("setting")])
                found += [(name, row[head.index("default")]) for name in names]
    return found


def test_the_page_is_generated_from_about() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make descriptions"


def test_the_page_has_every_setting() -> None:
    names = {name for name, _ in listed(PAGE.read_text(encoding="utf-8"))}
    assert names == {*TapAmazonBusiness.config_jsonschema["properties"]}


def test_the_readme_has_every_setting_of_the_tap_and_no_other() -> None:
    readme = listed((PROJECT / "README.md").read_text(encoding="utf-8"))
    sdk = ("stream_map", "flattening", "faker", "batch", "emit_activate")
    every = TapAmazonBusiness.config_jsonschema["properties"]
    own = [name for name in every if not name.startswith(sdk)]
    assert sorted(name for name, _ in readme) == sorted(own)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))
def test_tables_show_the_defaults_of_the_tap(path: Path) -> None:
    for name, cell in listed(path.read_text(encoding="utf-8")):
        assert name in TapAmazonBusiness.config_jsonschema["properties"]
        if name in DEFAULTS:
            default = DEFAULTS[name]
            assert cell.strip("`") == (default if isinstance(default, str) else json.dumps(default))
        else:
            # Words at most: what happens without it.
            assert not re.search(r"[`\d]", cell), name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))
def test_prose_shows_the_defaults_of_the_tap(path: Path) -> None:
    for name, value in re.findall(r"`(\w+)` \((\d+)\)", path.read_text(encoding="utf-8")):
        assert DEFAULTS[name] == int(value)
