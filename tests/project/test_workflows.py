"""The workflows on GitHub: commands that exist, every Python version, pinned actions."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.chain import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in WORKFLOWS}


def jobs(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TEXTS[workflow])["jobs"]
    return found


def test_every_declared_python_version_is_tested() -> None:
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(pyproject["project"]["classifiers"]))
    assert jobs("test")["unit"]["strategy"]["matrix"]["python-version"] == promised


def test_workflows_call_existing_make_targets() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))
    called = set(re.findall(r"run: make ([\w-]+)", "".join(TEXTS.values())))
    assert {"lint", "test"} <= called <= targets


@pytest.mark.parametrize("workflow", TEXTS)
def test_actions_are_pinned_and_permissions_explicit(workflow: str) -> None:
    used = re.findall(r"uses: (.*)", TEXTS[workflow])
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action) for action in used)
    assert yaml.safe_load(TEXTS[workflow])["permissions"] == {}
    assert all(job["permissions"] for job in jobs(workflow).values())


def test_only_the_upload_can_get_an_index_token() -> None:
    publish = jobs("release")["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"] == "pypi"
    assert not any("run" in step for step in publish["steps"])
    assert "".join(TEXTS.values()).count("id-token") == 1


def test_every_constraints_file_is_audited() -> None:
    last = jobs("test")["audit"]["steps"][-1]
    assert "for file in constraints/*.txt" in last["run"]
    assert not list(PROJECT.glob("constraints*.txt"))
