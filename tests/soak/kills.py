"""The command line, killed again and again at random moments and resumed from its last state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from simulator import Simulator, World
from simulator.chaos import WEIGHTS, Chaos
from simulator.mishaps import Kind
from tests.soak.ledger import Ledger
from tests.soak.truth import STREAMS
from tests.soak.windows import Windows
from tests.support.catalogs import select
from tests.support.leaks import leaks
from tests.support.runs import command
from tests.support.serving import NO_LIMITS, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Waits are real here: nothing that takes longer than a second.
_QUICK: dict[Kind, float] = {
    k: w for k, w in WEIGHTS.items() if k not in {Kind.STALL, Kind.QUOTA_WAIT}
}


@dataclass
class Kills:
    """The outcome of a seed that was killed again and again."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    windows: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    compared: int = 0
    leaked: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def run_kills(seed: int, *, kills: int = 20, orders: int = 200) -> Kills:
    """Kill the tap that many times, let it end once, and compare.

    Args:
        seed: Decides when, and by which signal.
        kills: How often.
        orders: How many purchase orders there are at first.
    """
    rng = Random(f"kills {seed}")
    world = World(orders=orders, items=2, seed=seed)
    chaos = Chaos(seed, rate=0.02, weights=_QUICK, longest=1)
    result, windows = Kills(seed), Windows()
    options = replace(NO_LIMITS, page_size=25)
    with Simulator(world, options, faults=[chaos]) as serving, TemporaryDirectory() as folder:
        chaos.revoke = serving.revoke_tokens
        # The shares of the lookback are small, so that windows that are read twice stand out.
        config = settings(serving, lookback_cycle_hours=744)
        ledger = Ledger(serving, listed=False)
        lines = sum(len(serving.rows(name)) for name in ledger.keys)
        state: dict[str, Any] = {}
        for number in range(kills + 1):
            chaos.settle()
            serving.reset_stats()
            ledger.begin()
            dying = number < kills
            stop = rng.randrange(lines // rng.choice((1, 4, 20))) if dying else None
            means = rng.choice((signal.SIGKILL, signal.SIGTERM))
            # The last run reads all of the lookback, for what changed meanwhile.
            hours = {} if dying else {"lookback_cycle_hours": 0}
            tap = _Tap({**config, **hours}, Path(folder), state)
            messages = list(tap.read(stop, means, rest=rng.random() < 0.5))
            ledger.read(messages)
            if dying:
                windows.enter(serving.stats().calls, _bookmarks(state))
            state = next((m["value"] for m in reversed(messages) if m["type"] == "STATE"), state)
            result.leaked += leaks(tap.log, [state])
            result.kills[tap.end] += 1
            # Where the pipe is closed before the signal comes, the tap ends by itself.
            if tap.end.startswith("exit") and not tap.closed:
                result.problems.append(f"run {number}: {tap.end}: {tap.log[-500:]}")
            if dying and rng.random() < 0.5:
                world.change(fraction=0.01, state_only=0.02, new=1)
        result.problems += [*ledger.problems, *ledger.settle()]
    result.faults = chaos.met.total()
    result.compared = ledger.compared
    result.windows = windows.counts
    result.problems += ["needless windows"] * windows.counts["needless"]
    return result


class _Tap:
    """A process of the tap.

    Attributes:
        end: How it ended.
        closed: Whether the pipe was closed while it lived.
        log: What it logged.
    """

    def __init__(self, config: dict[str, Any], folder: Path, state: dict[str, Any]) -> None:
        self._command = command(config, folder, state=state, catalog=select(*STREAMS))
        self._log = folder / "log.txt"
        self.end = ""
        self.closed = False
        self.log = ""

    def read(self, stop: int | None, means: signal.Signals, *, rest: bool) -> Iterator[Any]:
        """Yield the messages, and kill the process after that many lines.

        Args:
            stop: After how many lines, if ever.
            means: The signal.
            rest: Whether what stands in the pipe by then is read, as a loader may have done.
        """
        environment = {**os.environ, "TAP_AMAZON_BUSINESS_LOGLEVEL": "DEBUG"}
        with (
            self._log.open("w", encoding="utf-8") as log,
            subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, env=environment
            ) as process,
        ):
            assert process.stdout is not None
            if stop == 0:
                process.send_signal(means)
            for count, line in enumerate(process.stdout, start=1):
                if line.endswith(b"\n"):
                    yield json.loads(line, parse_float=Decimal)
                if count == stop:
                    process.send_signal(means)
                    if not rest:
                        self.closed = True
                        break
        self.end = _end(process.returncode)
        self.log = self._log.read_text(encoding="utf-8")


def _end(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    if code == 128 + signal.SIGTERM:  # the SDK's way to end
        return signal.SIGTERM.name
    return f"exit {code}" if code else "ended"


def _bookmarks(state: dict[str, Any]) -> dict[str, datetime]:
    return {
        name: datetime.fromisoformat(bookmark["replication_key_value"])
        for name, bookmark in state.get("bookmarks", {}).items()
        if "replication_key_value" in bookmark
    }
