"""Pictures of the documentation: shown on a page, and readable on dark and light ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = sorted((PROJECT / "docs").glob("*.svg"))
PAGES = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: str(path.name))
def test_a_page_shows_it(path: Path) -> None:
    shown = re.compile(rf"!\[.+\]\((?:docs/)?{re.escape(path.name)}\)")
    assert any(shown.search(page.read_text(encoding="utf-8")) for page in PAGES)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: str(path.name))
def test_it_has_a_background_of_its_own_or_colours_for_dark_pages(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ET.fromstring(text)  # noqa: S314 (of our own making)
    adapts = "prefers-color-scheme: dark" in text
    covered = re.search(r'<rect width="100%" height="100%"|<path [^>]*style="fill: #ffffff"', text)
    assert adapts or covered
