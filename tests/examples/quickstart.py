"""The quickstarts as tests read and run them: blocks of a page, in a copy of a clean clone."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^(\w+)='.*'$", re.MULTILINE)


class Block(NamedTuple):
    """A block of a page.

    Attributes:
        kind: Its language.
        mark: Whose it is: `vendor`, `business`, `install`, or empty for everybody's.
        text: What stands in it.
    """

    kind: str
    mark: str
    text: str


def blocks(page: str, prefix: str = "quickstart-") -> list[Block]:
    """Return the blocks of a page, in order."""
    text = (PROJECT / "docs" / f"{prefix}{page}.md").read_text(encoding="utf-8")
    return [Block(*found) for found in _BLOCK.findall(text)]


def filled(block: Block, values: Mapping[str, str]) -> str:
    """Return a block of variables with values, without the variables that have none."""
    return "".join(f"{name}='{values[name]}'\n" for name in names(block) if name in values)


def names(block: Block) -> list[str]:
    """Return the variables of a block."""
    return _VARIABLE.findall(block.text)


def clone(folder: Path) -> Path:
    """Return a folder with all files that a clone has, and nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
    )
    for name in listed.stdout.split("\0"):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def run(commands: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run commands in a folder, and return what they printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
