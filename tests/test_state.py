"""No STATE before what it covers, in BATCH too; stream maps, catalogs, what is read later on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Plan, Reply, Simulator, World
from tests.support.clocks import FakeClock
from tests.support.runs import Run, run_by, select

if TYPE_CHECKING:
    from simulator import Fault, Request

KEYS = {
    "purchase_orders": ("purchaseOrderNumber",),
    "purchase_order_items": ("purchaseOrderNumber", "itemSequenceNumber"),
    "order_reports": ("purchaseOrderNumber", "orderId"),
    "orders": ("orderId",),
}
FAST = {
    name: Plan(rate=2000, burst=200)
    for name in ("getOrderReportsByPurchaseOrderNumber", "getOrderReports", "getPurchaseOrders")
}


def simulator(clock: FakeClock, *faults: Any, orders: int = 300) -> Simulator:
    return Simulator(
        World(orders=orders, quirks=False, now=clock.now),
        Options(rates=FAST),
        monotonic=clock.monotonic,
        faults=faults,
    )


def batch(folder: Path, size: int = 37) -> dict[str, Any]:
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{folder}"},
        "batch_size": size,
    }


def walk(run: Run) -> Any:
    """Yield kind and value of each message; for records and files, the stream and its rows."""
    for m in run.messages:
        if m["type"] == "RECORD":
            yield m["stream"], [m["record"]]
        elif m["type"] == "BATCH":
            for path in m["manifest"]:
                text = gzip.decompress(Path(path.removeprefix("file://")).read_bytes()).decode()
                yield m["stream"], [json.loads(line) for line in text.splitlines()]
        elif m["type"] == "STATE":
            yield None, m["value"]


def check(run: Run, serving: Simulator, *streams: str) -> int:
    """Assert that whatever a bookmark covers came before it; return how many STATEs there were."""
    created = {
        n[0]: r["orderDetails"]["purchaseOrderDate"]
        for n, r in serving.rows("purchase_orders").items()
    }
    wanted = {s: set(serving.rows(s)) for s in streams}
    seen: dict[str, set[Any]] = {s: set() for s in streams}
    states = 0
    for stream, value in walk(run):
        if stream is None:
            mark = (
                value.get("bookmarks", {}).get("purchase_orders", {}).get("replication_key_value")
            )
            if mark:
                states += 1
                for s in streams:
                    due = {k for k in wanted[s] if created[k[0]][:19] < mark[:19]}
                    missing = due - seen[s]
                    assert not missing, (s, mark, len(missing))
        elif stream in seen:
            for row in value:
                key = tuple(row[n] for n in KEYS[stream])
                assert key not in seen[stream], f"twice: {stream} {key}"
                seen[stream].add(key)
    return states


ALL = ("purchase_orders", "purchase_order_items", "order_reports")


@pytest.mark.parametrize("size", [0, 1, 37, 100, 10000])
@pytest.mark.parametrize("streams", [ALL, ALL[1:], ALL[1:2], ALL[2:]], ids=str)
@pytest.mark.parametrize("strategy", ["purchase_order", "auto"])
def test_no_state_comes_before_what_it_covers(
    size: int, streams: tuple[str, ...], strategy: str, tmp_path: Path
) -> None:
    clock = FakeClock()
    extra = {"batch_config": batch(tmp_path, size)} if size else {}
    with simulator(clock) as serving:
        run = run_by(
            clock,
            serving.config(order_reports_strategy=strategy, **extra),
            catalog=select(*streams),
        )
        assert run.status == 0, run.log
        checked = tuple(s for s in streams if s != "order_reports" or strategy == "purchase_order")
        assert check(run, serving, *checked)


def test_a_deselected_parent_has_states_on_the_way_in_batches(tmp_path: Path) -> None:
    counts = []
    for extra in ({}, {"batch_config": batch(tmp_path, 10)}):
        with simulator(FakeClock()) as serving:
            run = run_by(
                FakeClock(), serving.config(**extra), catalog=select("purchase_order_items")
            )
            counts.append(len(run.states))
    assert counts[0] > 3
    assert counts[1] > 3, counts


class Fails:
    """Lets an operation answer a few requests and refuses it from then on."""

    def __init__(self, operation: str, after: int) -> None:
        self.operation, self.left = operation, after

    def decide(self, request: Request) -> Fault | None:
        if request.operation != self.operation:
            return None
        self.left -= 1
        return (
            None if self.left >= 0 else Reply(404, body=b'{"errors":[{"code":"X","message":"x"}]}')
        )


@pytest.mark.parametrize("size", [0, 37])
@pytest.mark.parametrize(
    "operation", ["getOrderReportsByPurchaseOrderNumber", "getPurchaseOrders", "getOrderReports"]
)
@pytest.mark.parametrize("after", [0, 5, 40, 120])
def test_no_state_covers_what_failed(size: int, operation: str, after: int, tmp_path: Path) -> None:
    clock = FakeClock()
    extra = {"batch_config": batch(tmp_path, size)} if size else {}
    strategy = "auto" if operation == "getOrderReports" else "purchase_order"
    with simulator(clock, Fails(operation, after)) as serving:
        run = run_by(
            clock,
            serving.config(order_reports_strategy=strategy, **extra),
            catalog=select(*ALL),
        )
        check(run, serving, *(ALL if strategy == "purchase_order" else ALL[:2]))


@pytest.mark.parametrize(
    "maps",
    [
        {"copies": {"__source__": "purchase_orders", "__filter__": "1 == 2"}},
        {"copies": {"__source__": "purchase_orders"}},
        {
            "purchase_orders": {
                "__alias__": "po",
                "__else__": "__NULL__",
                "purchaseOrderNumber": "purchaseOrderNumber",
            }
        },
        {"purchase_orders": {"purchaseOrderNumber": "'x' + purchaseOrderNumber"}},
        {"purchase_orders": {"items": "__NULL__"}},
    ],
    ids=str,
)
def test_maps_of_parents_leave_children_whole(maps: dict[str, Any]) -> None:
    clock = FakeClock()
    with simulator(clock, orders=40) as serving:
        run = run_by(clock, serving.config(stream_maps=maps), catalog=select(*ALL))
        assert run.status == 0, run.log
        want = set(serving.rows("purchase_order_items"))
    got = {
        tuple(r[n] for n in KEYS["purchase_order_items"])
        for r in run.records("purchase_order_items")
    }
    assert got == want


@pytest.mark.parametrize("key", ["purchaseOrderDate", "nonsense", None])
@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL", None])
def test_other_replication_keys_and_methods(key: str | None, method: str | None) -> None:
    clock = FakeClock()
    catalog = select("purchase_orders")
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "purchase_orders":
            stream["replication_key"] = key
            stream["replication_method"] = method
    with simulator(clock, orders=40) as serving:
        first = run_by(clock, serving.config(), catalog=catalog)
        assert first.status == 0, first.log
        second = run_by(clock, serving.config(), catalog=catalog, state=first.state)
        assert second.status == 0, second.log
        assert set(first.numbers()) == {n for (n,) in serving.rows("purchase_orders")}


def test_a_catalog_without_the_parent() -> None:
    clock = FakeClock()
    catalog = select(*ALL)
    catalog["streams"] = [s for s in catalog["streams"] if s["tap_stream_id"] != "purchase_orders"]
    with simulator(clock, orders=40) as serving:
        run = run_by(clock, serving.config(), catalog=catalog)
        assert run.status == 0, run.log
        assert len(run.records("purchase_order_items")) == len(serving.rows("purchase_order_items"))


def test_several_codes_and_regions_come_once_each() -> None:
    clock = FakeClock()
    with simulator(clock, orders=200) as serving:
        codes = sorted(
            {
                r["orderDetails"]["sellingParty"]["partyId"]
                for r in serving.rows("purchase_orders").values()
            }
        )
        run = run_by(
            clock,
            serving.config(ordering_vendor_codes=codes, order_reports_strategy="purchase_order"),
            catalog=select(*ALL),
        )
        assert run.status == 0, run.log
        assert check(run, serving, "purchase_orders", "purchase_order_items")


def test_numbers_that_differ_in_case_only_come_once(clock: FakeClock) -> None:
    class Same:
        def decide(self, request: Request) -> Fault | None:
            if request.operation != "getPurchaseOrder":
                return None
            order = {"purchaseOrderNumber": "A1", "orderDetails": {}}
            return Reply(200, body=json.dumps({"payload": order}).encode())

    with simulator(clock, Same(), orders=0) as serving:
        run = run_by(
            clock,
            serving.config(purchase_order_numbers=["A1", "a1"]),
            catalog=select("purchase_orders"),
        )
    assert run.numbers() == {"A1": 1}


def test_names_of_unknown_fields_tell_no_address(clock: FakeClock) -> None:
    class Odd:
        def decide(self, request: Request) -> Fault | None:
            if request.operation != "getPurchaseOrders":
                return None
            order = {"purchaseOrderNumber": "A1", "jane@buyer.example": 1}
            return Reply(200, body=json.dumps({"payload": {"orders": [order]}}).encode())

    with simulator(clock, Odd(), orders=0) as serving:
        run_by(clock, serving.config(), catalog=select("purchase_orders"))


@pytest.mark.parametrize("child", ["purchase_order_items", "order_reports"])
def test_a_child_that_is_selected_later_is_not_left_without_its_past(child: str) -> None:
    # As after an upgrade from a version, or with a catalog, that lacks the child.
    clock = FakeClock()
    with simulator(clock, orders=200) as serving:
        config = serving.config(order_reports_strategy="purchase_order")
        first = run_by(clock, config, catalog=select("purchase_orders"))
        second = run_by(clock, config, catalog=select("purchase_orders", child), state=first.state)
        assert second.status == 0
        missing = set(serving.rows(child)) - {
            tuple(r[n] for n in KEYS[child]) for r in second.records(child)
        }
    assert (
        not missing
        or "WARNING" in second.log
        or child in second.log.replace(f"{child}: ", "").replace(f"'{child}'", "")
    ), f"{len(missing)} missing, and nothing said"


def test_a_region_that_is_added_later_is_not_left_without_its_past() -> None:
    clock = FakeClock()
    with simulator(clock, orders=200) as serving:
        regions = list(serving.world.regions)
        assert len(regions) == 2
        catalog = select("orders")
        first = run_by(clock, serving.config(business_api_regions=regions[:1]), catalog=catalog)
        second = run_by(clock, serving.config(), catalog=catalog, state=first.state)
        found = {r["orderId"] for r in [*first.records("orders"), *second.records("orders")]}
        missing = {n for (n,) in serving.rows("orders")} - found
    assert not missing, f"{len(missing)} missing"


@pytest.mark.parametrize("stream", ["purchase_orders", "purchase_order_statuses"])
def test_vendor_codes_that_are_added_later_are_not_left_without_their_past(stream: str) -> None:
    clock = FakeClock()
    with simulator(clock, orders=200) as serving:
        orders = serving.rows("purchase_orders").values()
        codes = sorted({row["orderDetails"]["sellingParty"]["partyId"] for row in orders})
        assert len(codes) == 2

        def numbers(state: dict[str, Any] | None, codes: list[str]) -> tuple[int, dict[str, Any]]:
            config = serving.config(ordering_vendor_codes=codes, lookback_days=0)
            run = run_by(clock, config, catalog=select(stream), state=state)
            assert run.status == 0, run.log
            return len(run.numbers(stream)), run.state

        one, state = numbers(None, codes[:1])
        assert 0 < one < 200
        assert numbers(state, codes)[0] == 200
        every, state = numbers(state, [])
        assert every == 200
        assert numbers(state, codes[1:])[0] < 20  # the bookmark covers it already


def test_a_state_of_another_tap_is_named() -> None:
    clock = FakeClock()
    with simulator(clock, orders=5) as serving:
        state = {"bookmarks": {"customers": {"replication_key_value": 12}}}
        run = run_by(clock, serving.config(), state=state, catalog=select("purchase_orders"))
    assert "The state is of other streams than this tap's (customers)" in run.log
    assert len(run.numbers()) == 5


@pytest.mark.parametrize(
    "lacking",
    [
        ["order_reports"],
        ["purchase_order_items"],
        ["order_reports", "purchase_order_items", "transactions", "vendor_shipments"],
    ],
    ids=str,
)
def test_a_catalog_of_an_older_version_that_lacks_streams(lacking: list[str]) -> None:
    clock = FakeClock()
    catalog = select("purchase_orders", "orders")
    catalog["streams"] = [s for s in catalog["streams"] if s["tap_stream_id"] not in lacking]
    with simulator(clock, orders=40) as serving:
        run = run_by(clock, serving.config(), catalog=catalog)
    assert run.status == 0, run.log
    assert set(run.schemas) == {"purchase_orders", "orders"}


def test_a_catalog_with_unknown_streams_and_fields() -> None:
    clock = FakeClock()
    catalog = select("purchase_orders")
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "purchase_orders":
            stream["schema"]["properties"]["of_old"] = {"type": ["string", "null"]}
            stream["metadata"].append(
                {"breadcrumb": ["properties", "of_old"], "metadata": {"selected": True}}
            )
    catalog["streams"].append(
        {
            "tap_stream_id": "gone",
            "stream": "gone",
            "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
        }
    )
    with simulator(clock, orders=40) as serving:
        run = run_by(clock, serving.config(), catalog=catalog)
        assert run.status == 0, run.log
        assert len(run.numbers()) == 40


def test_a_required_key_that_the_catalog_dropped_from_the_schema() -> None:
    clock = FakeClock()
    catalog = select("purchase_orders", "purchase_order_items")
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "purchase_orders":
            stream["schema"]["properties"].pop("purchaseOrderNumber")
    with simulator(clock, orders=10) as serving:
        run = run_by(clock, serving.config(), catalog=catalog)
    assert run.status != 0 or run.numbers()
