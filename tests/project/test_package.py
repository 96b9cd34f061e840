"""The distributions as the package index gets them, and the tap as it is installed from there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Simulator, World, published_plans
from simulator.truth import truth
from tests.support.chain import PROJECT
from tests.support.imports import imported
from tests.support.runs import Run, command
from tests.support.serving import BY_DEFAULT, STREAMS

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

UV = PROJECT / ".tools/uv/bin/uv"
PACKAGE = "tap_amazon_business"
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
(VERSION, *_) = re.findall(
    r"^## \[([\d.]+)\]", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
)
UNLIMITED = {name: {"rate": 1000, "burst": 1000} for name in published_plans()}

pytestmark = pytest.mark.end_to_end


def run(*command: str | Path, timeout: float = 200) -> str:
    """Run a command outside the project, and return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=tempfile.gettempdir(),
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Distributions:
    """The uploaded files: a source distribution, and the wheel that was built from it."""

    sdist: Path
    wheel: Path

    @property
    def sdist_files(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}

    @property
    def wheel_files(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    @property
    def metadata(self) -> Message:
        with zipfile.ZipFile(self.wheel) as archive:
            return message_from_bytes(archive.read(f"{PACKAGE}-{VERSION}.dist-info/METADATA"))


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build both, the wheel from the source distribution, as a release does."""
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--out-dir", folder, PROJECT)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return Distributions(sdist, wheel)


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has the tap and what the tap depends on, and nothing else."""

    folder: Path

    @classmethod
    def new(cls, folder: Path, *steps: list[str | Path]) -> Environment:
        """Make one on this Python by steps of `uv pip install`."""
        run(UV, "venv", "--quiet", "--python", sys.executable, folder)
        for step in steps:
            run(UV, "pip", "install", "--quiet", "--python", folder, *step)
        return cls(folder)

    @property
    def tap(self) -> Path:
        return self.folder / "bin" / "tap-amazon-business"

    def python(self, code: str) -> Any:
        """Return the value of an expression there."""
        return json.loads(
            run(
                self.folder / "bin" / "python",
                "-c",
                f"import importlib.metadata as metadata, json; print(json.dumps({code}))",
            )
        )

    def versions(self) -> dict[str, str]:
        """Return the version of each distribution that is installed."""
        found: dict[str, str] = self.python(
            "{d.name.lower().replace('_', '-'): d.version for d in metadata.distributions()}"
        )
        return found

    def sync(self, config: dict[str, Any], folder: Path) -> Run:
        parts = command(config, folder)
        done = subprocess.run(
            [str(self.tap), *parts[1:]],
            check=False,
            capture_output=True,
            text=True,
            timeout=200,
            cwd=folder,
        )
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def installed(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Install the wheel as a user does."""
    return Environment.new(tmp_path_factory.mktemp("installed"), [distributions.wheel])


def test_twine_accepts_both(distributions: Distributions) -> None:
    # Before version 7, twine does not know the metadata that hatchling writes.
    said = run(
        *(UV, "tool", "run", "--quiet", "--from", "twine>=7", "twine", "check", "--strict"),
        distributions.sdist,
        distributions.wheel,
    )
    assert len(re.findall(r"PASSED", said)) == 2


def test_both_hold_the_package_and_nothing_else(distributions: Distributions) -> None:
    sources = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / PACKAGE).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert f"{PACKAGE}/py.typed" in sources
    information = f"{PACKAGE}-{VERSION}.dist-info/"
    assert {n for n in distributions.wheel_files if not n.startswith(information)} == sources
    assert f"{information}licenses/LICENSE" in distributions.wheel_files
    assert {n for n in distributions.sdist_files if not n.startswith(f"{PACKAGE}/")} == {
        *(".gitignore", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"),
        *("CHANGELOG.md", "meltano.yml", "sample_config.json"),
    }


def test_metadata_is_complete(distributions: Distributions) -> None:
    metadata = distributions.metadata
    assert metadata["Name"] == "tap-amazon-business"
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    for name in ("Summary", "Author", "Keywords"):
        assert metadata[name], name
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    # A project without an address of its own names none.
    assert "example" not in str(metadata.get_all("Project-URL", []))


def test_installed_wheel_syncs_every_row(installed: Environment, tmp_path: Path) -> None:
    assert VERSION in run(installed.tap, "--version")
    assert "business_api_regions" in run(installed.tap, "--about")
    catalog = json.loads(run(installed.tap, "--discover"))
    assert len(catalog["streams"]) == len(STREAMS)
    assert "pytest" not in installed.versions()
    check_sync(installed, tmp_path)


def test_only_python_backoff_provides_backoff(installed: Environment) -> None:
    assert installed.python("metadata.packages_distributions()['backoff']") == ["python-backoff"]


def test_lowest_allowed_versions_sync_every_row(
    distributions: Distributions, tmp_path: Path
) -> None:
    lowest = Environment.new(
        tmp_path / "lowest",
        ["--resolution", "lowest-direct", "--requirements", PROJECT / "pyproject.toml"],
        ["--no-deps", distributions.wheel],
    )
    bounds = {
        name: bound
        for dependency in PYPROJECT["project"]["dependencies"]
        for name, bound in re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)", dependency)
    }
    assert len(bounds) == len(PYPROJECT["project"]["dependencies"])
    versions = lowest.versions()
    for name, bound in bounds.items():
        assert _release(versions[name]) == _release(bound), f"{name}: {bound} cannot be installed"
    check_sync(lowest, tmp_path)


def test_every_imported_package_is_a_dependency(installed: Environment) -> None:
    modules = {
        module.partition(".")[0]
        for path in (PROJECT / PACKAGE).rglob("*.py")
        for module in imported(path)
    }
    provided = installed.python("metadata.packages_distributions()")
    # What an extra brings is not installed, and is called as its module.
    needed = {
        provided.get(module, [module])[0].lower().replace("_", "-")
        for module in modules - sys.stdlib_module_names - {PACKAGE}
    }
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    dependencies = [*PYPROJECT["project"]["dependencies"], *chain.from_iterable(extras)]
    assert needed == {re.split(r"[\[<>=]", dependency)[0] for dependency in dependencies}


def check_sync(environment: Environment, folder: Path) -> None:
    """Sync the streams that are selected by default; all rows must arrive."""
    with Simulator(World(orders=60), Options(limits=False)) as simulator:
        done = environment.sync(
            simulator.config(rate_limits=UNLIMITED, order_reports_strategy="purchase_order"), folder
        )
        rows = truth(simulator.world)["rows"]
    assert done.status == 0, done.log
    assert {stream: len(done.records(stream)) for stream in done.schemas} == {
        stream: rows[stream] for stream in BY_DEFAULT
    }


def _release(version: str) -> tuple[int, ...]:
    """Return a version's numbers, without zeros at the end."""
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
