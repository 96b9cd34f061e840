"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clocks import FakeClock
from tests.simulator import Options, Simulator, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that the tap and a simulator may share."""
    return FakeClock()


@pytest.fixture(scope="module")
def tidy() -> Iterator[Simulator]:
    """Serve a few orders without oddities or limits, for tests that change nothing."""
    with Simulator(World(orders=30, quirks=False), Options(limits=False)) as simulator:
        yield simulator
