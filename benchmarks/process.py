"""Runs a command and measures it."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from threading import Timer
from typing import IO, TYPE_CHECKING, cast

from benchmarks.messages import Messages, count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONGEST = 900.0
"""Seconds after which a command is ended."""

_PIPE = 1 << 20
_LONGEST_REMARK = 120


@dataclass(frozen=True)
class Run:
    """A command that ended.

    Attributes:
        status: Exit status; negative where a signal ended it.
        seconds: Wall time from its start to its end.
        cpu: User and system CPU, in seconds, by the kernel's account of this one process.
        peak_mb: Peak resident memory in MB (10**6 bytes). The kernel counts from before the exec
            of the command, so it is never below what this process, the parent, has ever used.
        messages: The Singer messages on its standard output.
        log: What it wrote to standard error.
    """

    status: int
    seconds: float
    cpu: float
    peak_mb: float
    messages: Messages
    log: str

    @property
    def remark(self) -> str:
        """The reason where it failed: the first error that it logged, else its last line."""
        if not self.status:
            return ""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        errors = [line for line in lines if "| ERROR" in line]
        said = next(iter([*errors, *lines[-1:]]), "").rpartition("| ")[2]
        return f"exit status {self.status}: {said}"[:_LONGEST_REMARK]


def run(command: Sequence[str | Path], log: Path) -> Run:
    """Run a command, count the messages on its standard output, and measure it.

    Args:
        command: The command.
        log: Where its standard error is kept.
    """
    started = time.monotonic()
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, bufsize=_PIPE)
    limit = Timer(LONGEST, process.kill)
    limit.start()
    with cast("IO[bytes]", process.stdout) as output:
        messages = count(output)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    limit.cancel()
    return Run(
        status=process.returncode,
        seconds=time.monotonic() - started,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss * 1024 / 1e6,
        messages=messages,
        log=log.read_text(encoding="utf-8", errors="replace"),
    )
