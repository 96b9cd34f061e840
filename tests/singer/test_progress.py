"""The log of a sync: the progress of each stream while it runs, and a summary at the end."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from simulator import Reply
from tests.support.faults import Fails, Refuses
from tests.support.runs import Run, TapAmazonBusiness, run_by, run_tap, select, start
from tests.support.serving import BY_DEFAULT, FAST_PLANS, VENDOR_ONLY, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator
    from tests.support.clocks import FakeClock

LINE = re.compile(r"(\w+): (?:(\d+) % done, )?[\d,]+ records, [\d,]+ requests")
ROW = re.compile(
    r"^(?P<stream>\w+) +(?P<records>[\d,]+) +(?P<requests>\d+) +(?P<retries>\d+)"
    r" +(?P<before>\S+) +(?P<after>\S+) +(?P<seconds>[\d,.]+) +(?P<waited>[\d,.]+)(?P<rest>.*)$",
    re.MULTILINE,
)
UNITS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Line:
    """A line of progress, and when it was logged, in seconds."""

    at: float
    stream: str
    text: str

    @property
    def share(self) -> int | None:
        """The per cent that are done."""
        found = LINE.match(self.text)
        return int(found[2]) if found and found[2] else None

    @property
    def left(self) -> float | None:
        """The seconds that are left."""
        found = re.search(r"about ([\d.]+) (s|min|h) left", self.text)
        return float(found[1]) * UNITS[found[2]] if found else None


@contextmanager
def listening(clock: FakeClock) -> Iterator[list[Line]]:
    """Collect the lines of progress with the time of an injected clock."""
    lines: list[Line] = []

    class Listener(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.levelno == logging.INFO and (found := LINE.match(text)):
                lines.append(Line(clock.monotonic(), found[1], text))

    logger, listener = logging.getLogger(TapAmazonBusiness.name), Listener()
    logger.addHandler(listener)
    yield lines
    logger.removeHandler(listener)


def slow(operation: str, seconds: float) -> dict[str, Any]:
    """Return settings by which a request of an operation comes every so many seconds."""
    plan = {"rate": 1 / seconds, "burst": 1}
    return {"rate_limits": {**FAST_PLANS, operation: plan}, "max_parallel_requests": 1}


def table(run: Run) -> dict[str, re.Match[str]]:
    """Return the rows of the table at the end of a log."""
    return {found["stream"]: found for found in ROW.finditer(run.log)}


# ---- lines -------------------------------------------------------------------------------------


def test_a_sync_of_five_minutes_logs_its_progress(clock: FakeClock) -> None:
    with serve(clock, orders=300) as serving, listening(clock) as lines:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 5))
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    took = clock.monotonic()
    assert 270 < took < 330
    times = [line.at for line in lines]
    assert len(times) >= 8
    assert times == [30.0 * number for number in range(1, len(times) + 1)]
    late = {took - line.at: line.left or 0 for line in lines if line.at >= took / 2}
    off = {true: left for true, left in late.items() if abs(left - true) > true / 3}
    assert off == {}


def test_a_line_has_share_records_requests_time_left_and_limit(clock: FakeClock) -> None:
    with serve(clock, orders=300) as serving, listening(clock) as lines:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 5))
        run_by(clock, config, catalog=select("purchase_orders"))
    assert re.fullmatch(
        r"purchase_orders: \d+ % done, \d+ records, \d+ requests, "
        r"about \d+ (s|min) left, waiting for Amazon's limit \(0\.2 requests/s\)",
        lines[3].text,
    )


def test_lines_come_while_a_stream_waits(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving, listening(clock) as lines:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 300))
        config["start_date"] = "2026-05-29T00:00:00Z"
        run_by(clock, config, catalog=select("purchase_orders"))
    assert len(lines) >= 9
    assert [line.at for line in lines] == [30.0 * number for number in range(1, len(lines) + 1)]


def test_a_sync_of_less_than_thirty_seconds_logs_no_progress(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving, listening(clock) as lines:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 0.4))
        run_by(clock, config, catalog=select("purchase_orders"))
    assert 10 < clock.monotonic() < 30
    assert lines == []


def test_the_share_of_a_child_is_its_parents(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving, listening(clock) as lines:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 4))
        run_by(clock, config, catalog=select("purchase_orders", "purchase_order_items"))
    shares: dict[float, dict[str, int | None]] = {}
    for line in lines:
        shares.setdefault(line.at, {})[line.stream] = line.share
    assert len(shares) >= 6
    for share in shares.values():
        assert share["purchase_orders"] == share["purchase_order_items"]


def test_the_stream_that_waits_for_a_limit_says_so(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving, listening(clock) as lines:
        config = settings(serving, **slow("getOrderReportsByPurchaseOrderNumber", 4))
        run_by(clock, config, catalog=select("purchase_orders", "order_reports"))
    waiting = {line.stream for line in lines if "(0.25 requests/s)" in line.text}
    assert (waiting, len({line.stream for line in lines}) > 1) == ({"order_reports"}, True)


def test_the_share_of_orders_asked_for_by_number_is_that_of_the_numbers(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving, listening(clock) as lines:
        numbers = sorted(serving.world.purchase_orders())[:20]
        config = settings(
            serving,
            **VENDOR_ONLY,
            **slow("getPurchaseOrder", 10),
            purchase_order_numbers=numbers,
        )
        run_by(clock, config, catalog=select("purchase_orders"))
    found = re.fullmatch(
        r"purchase_orders: (\d+) % done, (\d+) records, \d+ requests, "
        r"about [\d.]+ (?:s|min) left, waiting for Amazon's limit \(0\.1 requests/s\)",
        lines[1].text,
    )
    assert found, lines
    assert int(found[1]) == int(found[2]) * 5


# ---- table -------------------------------------------------------------------------------------


def requests(serving: Simulator, *operations: str) -> int:
    return sum(serving.stats().operations[name].requests for name in operations)


def test_the_table_counts_the_records_and_requests_of_each_stream(clock: FakeClock) -> None:
    with serve(clock, orders=40) as serving:
        run = run_by(clock, settings(serving))
        sent = {name: traffic.requests for name, traffic in serving.stats().operations.items()}
    rows = table(run)
    records = {name: int(row["records"].replace(",", "")) for name, row in rows.items()}
    counted = {name: int(row["requests"]) for name, row in rows.items()}
    assert records == {name: len(run.records(name)) for name in BY_DEFAULT}
    assert sum(counted.values()) == sum(sent.values())
    assert counted["orders"] == sent["getOrderReports"]
    assert counted["vendor_shipments"] == sent["GetShipmentDetails"]
    assert counted["purchase_order_items"] == 0


def test_the_table_counts_retries(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        serving.fail_next("getPurchaseOrders", Reply(503), Reply(429))
        serving.fail_next("getPurchaseOrders", Reply(403))
        config = settings(serving, **VENDOR_ONLY, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
        sent = requests(serving, "getPurchaseOrders")
    row = table(run)["purchase_orders"]
    assert (int(row["requests"]), int(row["retries"])) == (sent, 3)


def test_the_summary_has_the_bookmarks_before_and_after(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        config, catalog = settings(serving, **VENDOR_ONLY), select("purchase_orders")
        first = run_by(clock, config, catalog=catalog)
        clock.advance(hours=1)
        second = run_by(clock, config, catalog=catalog, state=first.state)
    rows = [table(run)["purchase_orders"] for run in (first, second)]
    assert [(row["before"], row["after"]) for row in rows] == [
        ("-", first.bookmark()),
        (first.bookmark(), second.bookmark()),
    ]


def test_the_table_fits_a_terminal_of_120_columns(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        first = run_by(clock, settings(serving))
        clock.advance(hours=1)
        second = run_by(clock, settings(serving), state=first.state)
    assert max(len(row[0]) for row in table(second).values()) <= 120
    (heading,) = re.findall(r"^stream +records .*$", second.log, re.MULTILINE)
    assert len(heading) <= 120


def test_the_summary_has_the_seconds_of_a_stream_and_of_its_waits_for_limits(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=30) as serving:
        config = settings(serving, **VENDOR_ONLY, **slow("getPurchaseOrders", 2))
        run = run_by(clock, config, catalog=select("purchase_orders"))
        sent = requests(serving, "getPurchaseOrders")
    row = table(run)["purchase_orders"]
    assert float(row["seconds"]) == round(clock.monotonic(), 1)
    assert abs(float(row["waited"]) - (sent - 1) * 2) <= 0.02 * sent * 2 + 0.1


def test_the_table_comes_after_a_failure_too(clock: FakeClock) -> None:
    down = Fails("getPurchaseOrders", 0, Reply(404))
    with serve(clock, orders=5, faults=[down]) as serving:
        run = run_by(clock, settings(serving, **VENDOR_ONLY))
    assert run.status == 1
    failed = {name for name, row in table(run).items() if row["rest"].strip() == "failed"}
    assert failed == {"purchase_orders"}
    assert run.log.index("Sync summary") > run.log.index("was refused")


def test_a_stream_that_depends_on_one_that_failed_is_incomplete(tmp_path: Path) -> None:
    down = Fails("getPurchaseOrders", 20, Reply(404))
    with serve(orders=100, faults=[down]) as serving:
        run = run_tap(settings(serving, **VENDOR_ONLY, max_parallel_requests=1), tmp_path)
        some, every = run.records("purchase_order_items"), serving.rows("purchase_order_items")
    assert 0 < len(some) < len(every)
    assert ends(run) == {"purchase_orders": "failed", "purchase_order_items": "incomplete"}
    assert "Failed: purchase_orders (see" in run.log
    assert "Also incomplete, because they depend on these: purchase_order_items." in run.log
    assert statuses(run) == {
        name: "failed" if name in ends(run) else "succeeded" for name in table(run)
    }


def test_streams_that_cannot_even_begin_are_failed_or_incomplete(tmp_path: Path) -> None:
    with serve(orders=5, faults=[Refuses("token", Reply(401))]) as serving:
        catalog = select("purchase_orders", "purchase_order_items")
        run = run_tap(settings(serving, **VENDOR_ONLY), tmp_path, catalog=catalog)
    assert ends(run) == {"purchase_orders": "failed", "purchase_order_items": "incomplete"}
    assert statuses(run) == dict.fromkeys(ends(run), "failed")


def test_a_sync_that_is_cut_off_leaves_incomplete_streams(tmp_path: Path) -> None:
    with serve(orders=1500, items=1, quirks=False) as serving:
        process = start(settings(serving), tmp_path, catalog=select("purchase_orders"))
        assert process.stdout is not None
        assert process.stderr is not None
        with process:
            process.stdout.readline()
            process.stdout.close()
            log = process.stderr.read()
    run = Run(process.returncode, "", log)
    assert run.status == 1
    assert ends(run) == {"purchase_orders": "incomplete"}
    assert statuses(run) == {"purchase_orders": "failed"}


def ends(run: Run) -> dict[str, str]:
    """Return how the streams of the table ended, but for those that are complete."""
    found = {name: row["rest"].strip() for name, row in table(run).items()}
    return {name: rest for name, rest in found.items() if rest}


def statuses(run: Run) -> dict[str, str]:
    """Return what the METRIC lines say of each stream."""
    found = re.findall(r'METRIC: .*"sync_duration".*"stream":"(\w+)".*"status":"(\w+)"', run.log)
    return dict(found)


def test_the_streams_of_the_table_are_those_that_were_read(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        run = run_by(clock, settings(serving), catalog=select("orders", "shipments"))
    assert table(run).keys() == {"orders", "shipments"}
