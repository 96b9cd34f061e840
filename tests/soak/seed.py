"""The meaning of one seed: a world, its clock, its faults, and the syncs that live with them."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from simulator import Options, Simulator, World
from simulator.chaos import Chaos
from simulator.mishaps import Kind
from simulator.times import DAY
from tests.soak.ledger import Ledger
from tests.soak.sync import sync
from tests.soak.truth import STREAMS
from tests.support.catalogs import select
from tests.support.clocks import FakeClock
from tests.support.leaks import leaks

if TYPE_CHECKING:
    from simulator import Request
    from tests.support.runs import Run

TIMEOUT = 1
"""Seconds of real time that a stall costs."""

CHANGES_A_SYNC = 8
SYNCS = 5
SHIPMENT_DAYS = 25
"""Shipments that are older are not read again."""

FEED = "getPurchaseOrdersStatus"
FED = frozenset({"purchase_order_statuses", "purchase_order_status_items"})
"""The streams that need the operation of the change feed."""

IGNORED = {
    "getPurchaseOrders": frozenset({"changedAfter", "changedBefore"}),
    FEED: frozenset({"updatedAfter", "updatedBefore"}),
}
"""Filters by change date that Amazon ignores, for some accounts."""


@dataclass
class Result:
    """The outcome of a seed."""

    seed: int
    strategy: str
    skew: timedelta
    met: Counter[Kind] = field(default_factory=Counter)
    requests: int = 0
    refused: int = 0
    compared: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """The number of rows that are missing or differ, and of other problems."""
        return len(self.problems)


class Meanwhile:
    """Lets orders change while they are read: a policy that never answers itself.

    Args:
        world: What changes.
        rng: Decides when.
    """

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng
        self._left = 0

    def allow(self, changes: int) -> None:
        """Let that many changes happen from here on."""
        self._left = changes

    def decide(self, request: Request) -> None:
        """Change something now and then."""
        del request
        if self._left and self._rng.random() < 0.03:
            self._left -= 1
            self._world.change(fraction=0.01, state_only=0.02, new=1)


class Days:
    """Events between syncs, with dates and without, visible immediately or later.

    Args:
        world: What changes.
        rng: Decides what.
    """

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng

    def hide(self) -> None:
        """Hide the orders of the last days, until all are shown."""
        now, days = self._world.now(), timedelta(days=self._rng.uniform(0.2, 4.5))
        self._world.hide_orders(now - days, now)
        self._world.hide_reports(now - days, now)

    def change(self) -> None:
        """Change some orders, and cancel a shipment."""
        late = self._world.now() + timedelta(hours=self._rng.uniform(0, 12))
        numbers = [order.number for order in self._world.orders]
        for number in self._rng.sample(numbers, 4):
            self._world.move_state(number)
        for number in self._rng.sample(numbers, 3):
            self._world.move_state(number, appears=late)
        for number in self._rng.sample(numbers, 3):
            with suppress(ValueError):  # nothing is left to cut
                self._world.cut(number, dated=False)
        recent = self._world.present() - SHIPMENT_DAYS * DAY
        shipments = [
            shipment.identifier
            for _, shipment in self._world.vendor_shipments.table.visible()
            if shipment.dates["shipmentCreateDate"] > recent
        ]
        for identifier in shipments[: self._rng.randrange(2)]:
            self._world.cancel_shipment(identifier)


def run_seed(seed: int, *, orders: int = 150, rate: float = 0.1) -> Result:
    """Sync a world of faults five times, with changes during and between, and compare.

    Args:
        seed: Decides everything but how threads take turns.
        orders: How many purchase orders there are at first.
        rate: The share of the requests that meet faults.
    """
    rng = Random(f"soak {seed}")
    clock = FakeClock()
    strategy = "auto" if seed % 4 == 3 else "purchase_order"
    without_feed = seed % 6 == 2
    streams = [stream for stream in STREAMS if not (without_feed and stream in FED)]
    final = 0.004 if seed % 5 == 4 else 0.0
    skew = timedelta(seconds=rng.choice((-1, 1, 4)) * rng.randrange(115))
    world = World(
        orders=orders,
        items=2,
        seed=seed,
        span_days=rng.choice((15, 60, 170)),
        integers=seed % 3 == 2,
        other_status_dates=rng.choice((0, 0.3)),
        now=lambda: clock.now() + skew,
    )
    refused = {order.number: rng.choice((400, 404)) for order in rng.sample([*world.orders], 2)}
    chaos = Chaos(seed, rate=rate, final=final, stall=TIMEOUT + 0.5)
    meanwhile = Meanwhile(world, Random(f"meanwhile {seed}"))
    # The tap's margin is Amazon's own: for a clock that is ahead, Amazon's has to be less.
    options = Options(
        page_size=rng.choice((6, 20, 100)),
        # Sleeps of threads add up on this clock, so that tokens grow old soon.
        token_lifetime=rng.choice((3_600, 7_200, 14_400)),
        freshest_before=0 if skew < timedelta() else Options().freshest_before,
        retry_after=rng.choice((None, 2)),
        page_token_lifetime=rng.choice((None, 4 * 3600)),
        lwa_clock_ahead=rng.choice((0, 90, -30)),
        refused_numbers=refused,
        no_shipments=seed % 7 == 5,
        none_is_not_found=seed % 4 == 1,
        transactions_by_order_date=seed % 3 == 1,
        missing_operations=frozenset({FEED}) if without_feed else frozenset(),
        ignored_parameters=IGNORED if seed % 5 == 3 else {},
    )
    days = Days(world, rng)
    shown_after = rng.randrange(SYNCS - 1)
    if seed % 3 == 0:
        days.hide()
    result = Result(seed, strategy, skew)
    with Simulator(world, options, monotonic=clock.monotonic, faults=[meanwhile, chaos]) as serving:
        chaos.revoke = serving.revoke_tokens
        config = serving.config(
            order_reports_strategy=strategy,
            request_timeout=TIMEOUT,
            max_parallel_requests=rng.choice((1, 4, 4, 8)),
        )
        ledger = Ledger(
            serving,
            listed=strategy == "auto",
            streams=streams,
            refused=frozenset(refused),
            delayed=chaos.refused,
        )
        state: dict[str, Any] | None = None
        for number in range(SYNCS):
            last = number == SYNCS - 1
            chaos.settle(final=0.0 if last else final)
            meanwhile.allow(0 if last else CHANGES_A_SYNC)
            ledger.begin()
            failures = chaos.met[Kind.FINAL]
            run = sync(clock, config, state=state, catalog=select(*streams))
            ledger.read(run.messages)
            result.leaked += leaks(run.log, run.states)
            result.problems += _trouble(run, expected=chaos.met[Kind.FINAL] > failures)
            state = run.state if run.states else state
            if not last:
                # The last sync has a whole cycle to read again: it finds all that changed.
                gap = rng.randrange(26, 60) if number == SYNCS - 2 else rng.choice((0.2, 1, 5, 12))
                world.change(fraction=0.03, state_only=0.05, new=5)
                days.change()
                if number == shown_after:
                    world.show_all()
                if number == SYNCS - 2:
                    world.close_books()
                clock.advance(hours=gap)
        result.problems += [*ledger.problems, *ledger.settle()]
        stats = serving.stats()
    result.met = chaos.met
    result.requests = sum(traffic.requests for traffic in stats.operations.values())
    result.requests += stats.token_requests.total()
    result.refused = sum(traffic.refused for traffic in stats.operations.values())
    result.compared = ledger.compared
    result.repeated = +ledger.repeated
    return result


def _trouble(run: Run, *, expected: bool) -> list[str]:
    """Return the errors of a run that should have gone well, or that nobody can expect."""
    if run.status == 0 or (expected and run.status == 1):
        return []
    said = re.findall(r"^.*(?:Unexpected|Error|refused|did not succeed).*$", run.log, re.MULTILINE)
    return [f"exit status {run.status}: {said[-1] if said else run.log[-300:]}"]
