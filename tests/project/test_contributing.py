"""CONTRIBUTING.md: "Add a stream" works as it is written, and imports are those of its table."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chain import PROJECT
from tests.support.imports import PACKAGE, imported
from tests.support.runs import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

GUIDE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")

# Tests that compare streams with each other, with the simulator or with the documentation.
COMPARING = (
    "simulator/tests/test_truth.py",
    "tests/project/test_dictionary.py",
    "tests/singer/test_catalog.py",
    "tests/streams/test_every_stream.py",
    "tests/unit/api/test_operations.py",
    "tests/unit/streams/test_schemas.py",
    "tests/unit/test_tap.py",
)
# Without those that take long and know no single stream.
QUICKLY = ("-q", "-p", "no:cacheprovider", "-k", "not second_sync and not missing_role")
GENERATED = ("tools.dictionary", "tests.singer.fields")


# ---- the recipe ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A code sample, the file it goes to, and the line above or below which it is inserted."""

    path: str
    below: bool
    anchor: str
    code: str

    def apply(self, folder: Path) -> None:
        """Insert the sample, indented as its anchor is, and set apart as that was."""
        file = folder / self.path
        lines = file.read_text(encoding="utf-8").splitlines()
        (place,) = [number for number, line in enumerate(lines) if self.anchor in line]
        margin = re.match(" *", lines[place]).group()  # type: ignore[union-attr]
        code = textwrap.indent(self.code, margin).splitlines()
        if self.below:
            lines[place + 1 : place + 1] = code
        else:
            blank = next(n for n in range(place) if lines[place - 1 - n])
            lines[place:place] = [*code, *[""] * blank]
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")


_TOKENS = re.compile(
    r"^\d+\. `(?P<path>[^`]+)`"
    r"|(?P<side>Above|Below) `(?P<anchor>[^`]+)`:$"
    r"|^(?P<margin> *)```(?P<kind>\w+)\n(?P<code>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## )", GUIDE, re.MULTILINE | re.DOTALL)
    text: str = found
    return text


def recipe(text: str) -> tuple[list[str], list[Sample]]:
    """Return the files that a recipe lists, and the samples that can be applied."""
    files: list[str] = []
    samples: list[Sample] = []
    target: tuple[bool, str] | None = None
    for token in _TOKENS.finditer(text):
        if token["path"]:
            files.append(token["path"])
            target = None
        elif token["side"]:
            target = (token["side"] == "Below", token["anchor"])
        else:
            assert target is not None, f"{files[-1]}: a sample without a place"
            samples.append(Sample(files[-1], *target, textwrap.dedent(token["code"])))
            target = None
    return files, samples


FILES, SAMPLES = recipe(section("Add a stream"))


# ---- a copy of the project -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project to which the recipe was applied."""
    folder = tmp_path_factory.mktemp("project")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    for sample in SAMPLES:
        sample.apply(folder)
    return folder


def tracked(*patterns: str) -> list[str]:
    """Return the files that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
    )
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).exists()]


def environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def python(copy: Path, *arguments: str) -> Run:
    """Run Python in the copy."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=copy,
        env=environment(copy),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(done.returncode, done.stdout, done.stderr)


def tap(copy: Path, *arguments: str) -> Run:
    """Run the tap of the copy."""
    code = f"from {PACKAGE}.tap import TapAmazonBusiness; TapAmazonBusiness.cli()"
    return python(copy, "-c", code, *arguments)


@contextmanager
def simulator(copy: Path, folder: Path) -> Iterator[Path]:
    """Serve thirty tidy orders by the simulator of the copy; yield the configuration's file."""
    config = folder / "config.json"
    command = [sys.executable, "-m", "simulator", "--orders", "30", "--no-limits"]
    with subprocess.Popen(
        [*command, "--write-config", str(config)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=copy,
        env=environment(copy),
    ) as serving:
        assert serving.stdout is not None
        try:
            assert serving.stdout.readline().startswith("listening on")
            yield config
        finally:
            serving.terminate()


def with_selected(catalog: dict[str, Any], streams: Sequence[str]) -> dict[str, Any]:
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog


# ---- adding a stream -----------------------------------------------------------------------------


def test_the_added_stream_is_discovered_and_synced(copy: Path, tmp_path: Path) -> None:
    catalog = json.loads(tap(copy, "--discover").output)
    assert "returns" in [stream["tap_stream_id"] for stream in catalog["streams"]]
    chosen = tmp_path / "catalog.json"
    chosen.write_text(json.dumps(with_selected(catalog, ["orders", "returns"])), encoding="utf-8")
    with simulator(copy, tmp_path) as config:
        settings = json.loads(config.read_text(encoding="utf-8"))
        settings["rate_limits"] = {
            operation: {"rate": 1000, "burst": 1000}
            for operation in ("getOrderReports", "getReturnReports")
        }
        config.write_text(json.dumps(settings), encoding="utf-8")
        run = tap(copy, "--config", str(config), "--catalog", str(chosen))
    assert run.schemas == {"orders": 1, "returns": 1}
    orders = [record["orderId"] for record in run.records("orders")]
    assert len(orders) >= 30
    returns = run.records("returns")
    assert sorted(r["orderId"] for r in returns) == sorted(orders)
    assert {r["returnId"] for r in returns} == {f"{order}-R1" for order in orders}
    assert {r["quantity"] for r in returns} == {1}
    assert run.state["bookmarks"]["returns"]["replication_key"] == "orderDate"
    assert "returns: the field" not in run.log  # none is missing in the schema


def test_four_files_are_enough(copy: Path) -> None:
    changed = [
        name for name in tracked() if (copy / name).read_bytes() != (PROJECT / name).read_bytes()
    ]
    assert sorted(changed) == sorted(FILES)
    assert len(FILES) == 4


def test_the_added_stream_leaves_the_suite_green(copy: Path) -> None:
    for module in GENERATED:
        python(copy, "-m", module)
    python(copy, "-m", "pytest", *QUICKLY, *COMPARING)


def test_a_stream_without_logic_has_twelve_lines_at_most() -> None:
    (code,) = [sample.code for sample in SAMPLES if sample.code.startswith("class ")]
    assert len(code.splitlines()) <= 12


def test_the_samples_follow_the_style(copy: Path) -> None:
    for command in (("check", "--no-cache"), ("format", "--no-cache", "--check")):
        python(copy, "-m", "ruff", *command, *FILES)


# ---- the table of modules ------------------------------------------------------------------------

# What each module of the table may import.
MODULES = {
    module: set(re.findall(r"`(\w+)`", imports))
    for names, imports in re.findall(
        r"^\| (`[^|]*) \|[^|]*\|[^|]*\|([^|]*)\|$", section("Modules"), re.MULTILINE
    )
    for module in re.findall(r"`([\w/]+?)(?:\.py|/)`", names)
}


def files(module: str) -> list[Path]:
    folder = PROJECT / PACKAGE / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_the_table_shows_every_module() -> None:
    names = [path.name for path in (PROJECT / PACKAGE).iterdir()]
    parts = {name.partition(".")[0] for name in names if not name.startswith(("_", "py.typed"))}
    assert parts == {module for module in MODULES if "/" not in module}


def test_the_table_shows_every_module_of_the_streams() -> None:
    names = [path.stem for path in (PROJECT / PACKAGE / "streams").glob("*.py")]
    shown = re.findall(r"`(\w+)\.py`", section("Modules").partition("In `streams/`:")[2])
    assert sorted(shown) == sorted(name for name in names if name != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_the_table_says(module: str) -> None:
    inside = re.compile(rf"{PACKAGE}\.(\w+)")
    own = f"{PACKAGE}.{module.replace('/', '.')}"
    found = {
        match[1]
        for path in files(module)
        for name in imported(path)
        if not name.startswith(own) and (match := inside.match(name))
    }
    assert found <= MODULES[module]


def test_only_tests_import_tests() -> None:
    paths = tracked("*.py", ":!tests")
    assert paths
    assert not {
        path: name
        for path in paths
        for name in imported(PROJECT / path)
        if name.partition(".")[0] == "tests"
    }


def test_the_simulator_does_not_import_the_tap() -> None:
    names = [
        name
        for path in (PROJECT / "simulator").rglob("*.py")
        if "tests" not in path.relative_to(PROJECT).parts
        for name in imported(path)
    ]
    assert names
    assert not [name for name in names if name.startswith(PACKAGE)]
