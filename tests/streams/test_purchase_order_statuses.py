"""purchase_order_statuses: where each order's items stand, found by both of its dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

STREAM = "purchase_order_statuses"


def test_a_changed_status_comes_again(clock: FakeClock) -> None:
    with serve(clock, orders=80) as serving:
        first = run_by(clock, settings(serving), catalog=select(STREAM))
        clock.advance(hours=8)
        touched = serving.world.change(fraction=0.1, state_only=0, new=5)
        second = run_by(clock, settings(serving), state=first.state, catalog=select(STREAM))
    assert len(touched.changed) == 8
    assert {*touched.changed, *touched.new} <= set(second.numbers(STREAM))
    assert len(second.numbers(STREAM)) < len(first.numbers(STREAM))


def test_is_asked_for_by_creation_and_by_update(clock: FakeClock) -> None:
    with serve(clock, orders=3, quirks=False) as serving:
        run_by(clock, settings(serving, start_date="2026-05-29"), catalog=select(STREAM))
        asked = [call.parameters for call in serving.stats().calls]
    dates = {name for parameters in asked for name in parameters if name.endswith("After")}
    assert dates == {"createdAfter", "updatedAfter"}
