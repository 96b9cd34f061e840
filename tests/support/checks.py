"""Connection checks (`--test`) through the command line, by an injected clock."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from typing_extensions import override

from simulator import Hang
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.clocks import FakeClock
from tests.support.leaks import leaks
from tests.support.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from simulator.faults import Serve


class HeldClock(FakeClock):
    """A clock that stands still: who sleeps by it sleeps until the test lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self._passes = threading.Event()

    @override
    def sleep(self, seconds: float) -> None:
        self._passes.wait()
        super().sleep(seconds)

    def let_pass(self) -> None:
        self._passes.set()


class Overdue:
    """No answer; once the request has arrived, time passes.

    Args:
        clock: The clock of the check.
    """

    def __init__(self, clock: HeldClock) -> None:
        self._clock = clock

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        self._clock.let_pass()
        return await Hang().answer(request, serve)


def check(
    clock: FakeClock,
    config: dict[str, Any],
    folder: Path,
    *arguments: str,
    catalog: dict[str, Any] | None = None,
) -> Run:
    """Run the tap's command line in this process, with `--test` if no arguments are given."""

    class Clocked(TapAmazonBusiness):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(clock=clock, **kwargs)

    parts = ["--config", _file(folder, "config", config)]
    if catalog is not None:
        parts += ["--catalog", _file(folder, "catalog", catalog)]
    done = CliRunner().invoke(Clocked.cli, [*parts, *(arguments or ["--test"])])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    found = leaks(done.output)
    assert not found, f"leaked: {sorted(found)}"
    return Run(done.exit_code, done.stdout, done.stderr)


def _file(folder: Path, name: str, content: dict[str, Any]) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
