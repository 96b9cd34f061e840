"""Syncs one after the other, each from the state of the one before."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import FAST_PLANS

if TYPE_CHECKING:
    import pytest

    from simulator import Simulator
    from tests.support.catalogs import Catalog
    from tests.support.clocks import FakeClock
    from tests.support.runs import Key, Record, Run

CYCLE = (4.0,) * 7
"""Hours between syncs that take a lookback cycle of 24 hours, and one sync more."""


class Syncs:
    """Syncs of the same streams with the same settings, defaults where none are given.

    Args:
        clock: The clock of the tap and the simulator.
        serving: The simulator.
        *streams: The selected streams.
        catalog: Selects streams, and fields, in another way.
        **settings: Settings other than the defaults.

    Attributes:
        state: The last state.
    """

    def __init__(
        self,
        clock: FakeClock,
        serving: Simulator,
        *streams: str,
        catalog: Catalog | None = None,
        **settings: Any,
    ) -> None:
        self.state: dict[str, Any] | None = None
        self._clock = clock
        self._config = serving.config(rate_limits=FAST_PLANS, **settings)
        self._catalog = select(*streams) if catalog is None else catalog

    def sync(self, *, status: int = 0, catalog: Catalog | None = None, **settings: Any) -> Run:
        """Sync, and assert the exit status."""
        run = run_by(
            self._clock,
            {**self._config, **settings},
            state=self.state,
            catalog=self._catalog if catalog is None else catalog,
        )
        assert run.status == status, run.log
        self.state = run.state if run.states else self.state
        return run

    def after(self, hours: float, **changed: Any) -> Run:
        """Sync some hours later."""
        self._clock.advance(hours=hours)
        return self.sync(**changed)

    def cycle(self, **changed: Any) -> list[Run]:
        """Sync for a lookback cycle and one sync more."""
        return [self.after(hours, **changed) for hours in CYCLE]


def last(runs: list[Run], stream: str) -> dict[Key, Record]:
    """Return the last record of each key that these runs wrote."""
    return {key: record for run in runs for key, record in run.by_key(stream).items()}


def warnings(caplog: pytest.LogCaptureFixture, *words: str) -> list[str]:
    """Return the warnings that contain all of these words."""
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    return [text for text in said if all(word in text for word in words)]
