"""Markdown files: every relative link leads to a file, every anchor to a heading."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")


def markdown_files() -> list[str]:
    """Return the Markdown files of the project, new ones too."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
    )
    return listed.stdout.splitlines()


def prose(path: Path) -> str:
    """Return a file without its code blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Return the links of a file that lead to this project."""
    found = _LINK.findall(_CODE.sub("", prose(path)))
    return [link for link in found if not _ELSEWHERE.match(link)]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a file's headings."""
    headings = [
        re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(path))
    ]
    return {heading.replace(" ", "-") for heading in headings}


def broken(path: Path) -> list[str]:
    """Return the links of a file that lead nowhere."""
    found = []
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("name", markdown_files())
def test_every_link_leads_somewhere(name: str) -> None:
    assert broken(PROJECT / name) == []


def test_the_readme_leads_to_every_other_guide() -> None:
    linked = {link.partition("#")[0] for link in links(PROJECT / "README.md")}
    pages = {f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md")}
    assert {
        *("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "examples/README.md"),
        *("meltano.yml", "sample_config.json"),
        *pages,
    } <= linked


@pytest.mark.parametrize(
    "link", ["missing.md", "there.md#no-such-heading", "#no-such-heading", "folder/"]
)
def test_a_broken_link_is_found(link: str, tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, of words\n", encoding="utf-8")
    page = tmp_path / "page.md"
    good = "[one](there.md#a-heading-of-words) [two](https://example.com) `[three](code.md)`"
    page.write_text(f"# Page\n\n{good}\n[bad]({link})\n", encoding="utf-8")
    assert broken(page) == [link]


def test_every_command_of_the_readme_is_in_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", readme, re.MULTILINE))
    assert {"setup", "demo", "test", "unit", "soak", "bench"} <= named
    assert named <= targets
