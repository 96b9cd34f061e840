"""The whole chain, for tests: it shows no secret, and it can be killed."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

import tools.chain
from tests.support.leaks import leaks
from tools import PROJECT
from tools.chain import MELTANO, ChainFailedError, emitted, settings

if TYPE_CHECKING:
    import subprocess

__all__ = ["MELTANO", "PROJECT", "Chain", "ChainFailedError", "emitted", "settings"]


class Chain(tools.chain.Chain):
    """Meltano, of which all that it prints is searched for secrets."""

    @override
    def run(self, *arguments: str, timeout: float = 280) -> str:
        try:
            output = super().run(*arguments, timeout=timeout)
        except ChainFailedError as error:
            _assert_nothing_leaked(str(error))
            raise
        _assert_nothing_leaked(output)
        return output

    @staticmethod
    def kill(process: subprocess.Popen[str]) -> None:
        """Kill a command and all that it started, as a machine does that runs out of memory.

        Returns when all of them are gone: one that still ends holds its files and their locks.
        """
        ends = [end for pid in _group(process.pid) if (end := _end_of(pid)) is not None]
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for end in ends:
            select.select([end], [], [])
            os.close(end)


def _assert_nothing_leaked(output: str) -> None:
    found = leaks(output)
    assert not found, f"shown: {sorted(found)}"


def _group(group: int) -> list[int]:
    """Return the processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # After the name, which may hold anything: state, parent, group.
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.append(int(stat.parent.name))
    return found


def _end_of(pid: int) -> int | None:
    """Return a descriptor that can be read once a process has ended; None if it has."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
