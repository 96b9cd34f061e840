"""G. A week of incremental syncs: what they ask for and write, and what they miss.

The tap runs in this process, with default settings and all streams, on a clock that only moves
between two syncs. Meanwhile orders come and change, as often as `benchmarks/life.py` says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from benchmarks.inprocess import SharedClock, Sync, quiet, sync
from benchmarks.ledger import Ledger
from benchmarks.life import HIDDEN_SHARE, LATE_SHARE, NOWHERE, OTHER_DATE, Life
from benchmarks.tables import Row, Table
from simulator import Options, Simulator, World, published_plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.bench import Bench
    from benchmarks.ledger import Change

HOUR = 3_600.0
PORT = 18_765
DAY = 24 * HOUR
SPAN_DAYS = 180
CYCLE = 25 * HOUR
"""Within this time, and an hour to spare, a sync reads everything within its lookback once."""

OTHER_STATUS_DATES = 0.2
"""Share of the statuses that carry another date than their order, where anything happens."""

MARGIN = 300.0
"""A change this young at the last sync need not be seen by it."""


@dataclass(frozen=True)
class Schedule:
    """The frequency of syncs.

    Attributes:
        name: What it is called.
        every: Seconds from one to the next.
        syncs: How many, after the first one, which is not measured.
        alive: Whether anything happens meanwhile.
    """

    name: str
    every: float
    syncs: int
    alive: bool = True


SCHEDULES = {
    schedule.name: schedule
    for schedule in (
        Schedule("hourly", HOUR, 168),
        Schedule("ten-minutes", HOUR / 6, 144),
        Schedule("nightly", DAY, 7),
        Schedule("pause", 14 * DAY, 1),
        Schedule("quiet", HOUR, 30, alive=False),
    )
}


@dataclass
class Measured:
    """Some syncs of an account, by one schedule."""

    monthly: int
    schedule: Schedule
    ledger: Ledger
    syncs: list[Sync] = field(default_factory=list)

    @property
    def name(self) -> str:
        """A title."""
        return f"{self.monthly:,} orders a month, {self.schedule.name}"

    @property
    def file(self) -> str:
        """The end of the names of its tables."""
        return f"{self.monthly}_{self.schedule.name.replace('-', '_')}"


def week(bench: Bench) -> Iterator[Table]:
    """Yield the tables of every account and schedule."""
    log = bench.folder("week") / "tap.log"
    quiet(log)
    bench.say(f"the tap's warnings: {log}")
    accounts = bench.monthly or bench.size((3_500,), (1_000,))
    names = bench.schedules or bench.size(tuple(SCHEDULES), ("hourly", "quiet"))
    most = bench.syncs or bench.size(168, 24)
    for monthly in accounts:
        states: dict[bool, dict[str, Any]] = {}
        all_measured = []
        for name in names:
            schedule = SCHEDULES[name]
            first = states.get(schedule.alive)
            measured, states[schedule.alive] = _measure(bench, monthly, schedule, most, first)
            all_measured.append(measured)
            if measured.schedule.alive:
                yield _changes(measured)
        yield _rows(monthly, all_measured)
        yield _requests(monthly, all_measured)
        yield _costs(monthly, all_measured)


def _measure(
    bench: Bench, monthly: int, schedule: Schedule, most: int, first: dict[str, Any] | None
) -> tuple[Measured, dict[str, Any]]:
    """Sync an account by a schedule; return what was measured, and the first sync's state.

    Args:
        bench: Says what is going on.
        monthly: Purchase orders a month.
        schedule: How often to sync.
        most: The most syncs.
        first: The state of a first sync of the same account, as alive, if there was one.
    """
    clock, ledger = SharedClock(), Ledger()
    # The same seed and clock give the same world, so that one first sync serves all schedules.
    world = World(
        orders=monthly * SPAN_DAYS // 30,
        span_days=SPAN_DAYS,
        regions=("US",),
        other_status_dates=OTHER_STATUS_DATES if schedule.alive else 0,
        now=clock.now,
    )
    measured = Measured(monthly, schedule, ledger)
    options = Options(limits=False, token_lifetime=1e9)
    # Another port would be another host to the bookmark.
    with Simulator(world, options, port=PORT, monotonic=clock.monotonic) as simulator:
        if first is None:
            bench.say(f"{monthly:,} orders a month: the first sync")
            started = sync(simulator, clock, None)
            if started.error or started.state is None:
                raise RuntimeError(f"the first sync failed: {started.error}")
            first = started.state
        state: dict[str, Any] | None = first
        count = min(most, schedule.syncs)
        bench.say(f"{measured.name}: syncs: {count}")
        life = Life(world, clock, ledger, monthly=monthly)
        begun = clock.monotonic()
        for number in range(1, count + 1):
            moment = begun + number * schedule.every
            (life.until if schedule.alive else clock.reach)(moment)
            ledger.begin(clock.monotonic())
            done = sync(simulator, clock, state, ledger.saw)
            state = done.state
            measured.syncs.append(done)
    return measured, first


# ---- what was seen -------------------------------------------------------------------------------


def _changes(measured: Measured) -> Table:
    """Return what happened, and when a sync showed it."""
    last = measured.ledger.syncs[-1]
    ripe = [
        (kind, stream, [change for change in changes if change.at <= last - MARGIN])
        for kind, stream, changes in measured.ledger.by_kind()
    ]
    return Table(
        f"g_changes_{measured.file}",
        f"G. What was shown: {measured.name}, syncs: {len(measured.syncs)}",
        [_shown(measured, kind, stream, changes) for kind, stream, changes in ripe if changes],
        (
            "target: nothing of what a list or the statuses show is never seen",
            "unseen: at the last sync; over 25 h: older by then than a lookback cycle and an hour",
            "changes of the last five minutes are left out",
            "syncs: 1 is the first sync after the change; rows that appear late count from then on",
            f"late: {LATE_SHARE:.0%} of new rows and changes, 90 minutes to 6 hours after the date",
            f"hidden: {HIDDEN_SHARE:.0%} of the new orders, for half a day to four days and a half",
            "undated: no date of any operation shows it",
            f"{OTHER_DATE}: {OTHER_STATUS_DATES:.0%} of them, a day alone, 90 s off or months off",
            f"{NOWHERE}: no list shows whose these reports are",
        ),
    )


def _shown(measured: Measured, kind: str, stream: str, changes: Sequence[Change]) -> Row:
    last = measured.ledger.syncs[-1]
    seen = [change for change in changes if change.seen is not None]
    unseen = [change for change in changes if change.seen is None]
    syncs = [measured.ledger.late_syncs(change) for change in seen]
    hours = [((change.seen or 0) - change.at) / HOUR for change in seen]
    return {
        "what": kind,
        "stream": stream,
        "happened": len(changes),
        "seen": len(seen),
        "unseen": len(unseen),
        "over 25 h": sum(change.at <= last - CYCLE for change in unseen),
        "syncs, median": int(median(syncs)) if syncs else None,
        "syncs, max": max(syncs, default=None),
        "hours, median": round(median(hours), 2) if hours else None,
        "hours, max": round(max(hours), 2) if hours else None,
    }


# ---- what was written ----------------------------------------------------------------------------


def _rows(monthly: int, all_measured: Sequence[Measured]) -> Table:
    """Return the rows a sync writes, by stream."""
    streams = sorted({stream for m in all_measured for done in m.syncs for stream in done.rows})
    return Table(
        f"g_rows_{monthly}",
        f"G. Rows a sync writes, {monthly:,} orders a month over {SPAN_DAYS} days, one region",
        [_written(stream, all_measured) for stream in (*streams, "all")],
        (
            "news: rows that showed something that had changed, of the streams that are followed",
            "quiet: hourly syncs of an account where nothing changes",
        ),
    )


def _written(stream: str, all_measured: Sequence[Measured]) -> Row:
    row: Row = {"stream": stream}
    for measured in all_measured:
        name, syncs, news = measured.schedule.name, measured.syncs, measured.ledger.news
        counts = [d.rows.total() if stream == "all" else d.rows[stream] for d in syncs]
        row[f"{name}, mean"] = round(fmean(counts), 1)
        row[f"{name}, max"] = max(counts)
        if measured.schedule.alive:
            shown = news.total() if stream == "all" else news[stream]
            row[f"{name}, news"] = round(shown / len(syncs), 1)
    return row


# ---- what was asked ------------------------------------------------------------------------------


def _requests(monthly: int, all_measured: Sequence[Measured]) -> Table:
    """Return the requests of a sync, by operation."""
    rows: list[Row] = []
    for operation in published_plans():
        row: Row = {"operation": operation}
        for measured in all_measured:
            counts = [done.requests[operation] for done in measured.syncs]
            row[f"{measured.schedule.name}, mean"] = round(fmean(counts), 1)
            row[f"{measured.schedule.name}, max"] = max(counts)
        rows.append(row)
    return Table(
        f"g_requests_{monthly}",
        f"G. Requests a sync, {monthly:,} orders a month over {SPAN_DAYS} days, one region",
        rows,
    )


def _costs(monthly: int, all_measured: Sequence[Measured]) -> Table:
    """Return what a sync takes at Amazon's plans, and what it emits."""
    return Table(
        f"g_costs_{monthly}",
        f"G. Syncs at Amazon's plans, {monthly:,} orders a month",
        [_cost(measured) for measured in all_measured],
        (
            "seconds: in which the published plans let so many requests pass",
            "sum: one operation after the other; slowest: all side by side",
            "rows twice: RECORDs of a key that the same sync had written before",
            "here: seconds on this machine, the simulator's share included",
        ),
    )


def _cost(measured: Measured) -> Row:
    syncs = measured.syncs
    waits = [list(_waits(done).values()) for done in syncs]
    rows = [done.rows.total() for done in syncs]
    streams = sum((done.rows for done in syncs), Counter[str]())
    return {
        "schedule": measured.schedule.name,
        "syncs": len(syncs),
        "requests, mean": round(fmean(sum(done.requests.values()) for done in syncs), 1),
        "sum s, mean": round(fmean(map(sum, waits)), 1),
        "sum s, max": round(max(map(sum, waits)), 1),
        "slowest s, mean": round(fmean(map(max, waits)), 1),
        "slowest s, max": round(max(map(max, waits)), 1),
        "rows, mean": round(fmean(rows)),
        "rows, max": max(rows),
        "most rows": streams.most_common(1)[0][0] if streams else None,
        "rows twice": sum(done.repeated.total() for done in syncs),
        "state bytes": max(len(str(done.state)) for done in syncs),
        "here s, mean": round(fmean(done.seconds for done in syncs), 2),
        "failed": sum(bool(done.error) for done in syncs),
        "remark": next((done.error for done in syncs if done.error), ""),
    }


def _waits(done: Sync) -> dict[str, float]:
    """Return the seconds that Amazon's plans make a sync take, by operation."""
    return {
        name: max(0.0, (done.requests[name] - plan.burst) / plan.rate)
        for name, plan in published_plans().items()
    }
