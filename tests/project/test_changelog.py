"""CHANGELOG.md: its form, and that the package's version comes from its newest entry."""

from __future__ import annotations

import re
import tomllib

from tests.support.chain import PROJECT

CHANGELOG = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRIES = re.findall(r"^## \[(.+?)\](.*)$", CHANGELOG, re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_begins_with_what_is_not_released() -> None:
    assert ENTRIES[0] == ("Unreleased", "")


def test_the_package_has_the_version_of_the_newest_entry_and_no_other() -> None:
    assert "version" not in PYPROJECT["project"]
    source = PYPROJECT["tool"]["hatch"]["version"]
    text = (PROJECT / source["path"]).read_text(encoding="utf-8")
    found = re.search(source["pattern"], text, re.MULTILINE)
    assert found is not None
    assert found["version"] == ENTRIES[1][0]


def test_versions_descend() -> None:
    versions = [tuple(map(int, name.split("."))) for name, _ in ENTRIES[1:]]
    assert versions == sorted(set(versions), reverse=True)


def test_entries_are_of_the_known_kinds() -> None:
    assert set(re.findall("^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS
