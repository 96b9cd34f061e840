"""The workflows on GitHub: commands that exist, every Python version, pinned actions."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in WORKFLOWS}


def jobs(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TEXTS[workflow])["jobs"]
    return found


def test_every_declared_python_version_is_tested() -> None:
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(pyproject["project"]["classifiers"]))
    assert jobs("test")["unit"]["strategy"]["matrix"]["python-version"] == promised


def test_the_lowest_and_the_newest_sdk_are_tested(tmp_path: Path) -> None:
    chosen = jobs("test")["unit"]["strategy"]["matrix"]["singer-sdk"]
    assert chosen == ["lowest", "newest"]
    (tmp_path / "constraints").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints/dev.txt"):
        shutil.copy(PROJECT / name, tmp_path / name)
    files = [f".tools/dev-{release}.txt" for release in chosen]
    subprocess.run(["make", "--silent", *files], check=True, timeout=60, cwd=tmp_path)
    lowest, newest = ((tmp_path / file).read_text(encoding="utf-8").split() for file in files)
    pyproject = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    (bound,) = re.findall(r'"singer-sdk\[msgspec\]>=([\d.]+),', pyproject)
    assert set(lowest) - set(newest) == {f"singer-sdk=={bound}"}
    assert "pytest==" in " ".join(newest)
    assert "singer-sdk" not in " ".join(newest)


def test_a_pre_release_of_the_sdk_can_fail_no_run() -> None:
    job = jobs("test")["next-sdk"]
    assert job["if"] == "github.event_name == 'schedule'"
    assert job["continue-on-error"] is True
    assert any("--pre" in step.get("run", "") for step in job["steps"])
    assert job["steps"][-1]["if"] == "failure()"
    assert not [
        name for name, other in jobs("test").items() if "next-sdk" in str(other.get("needs"))
    ]


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
