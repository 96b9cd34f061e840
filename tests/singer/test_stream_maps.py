"""stream_maps of parents and children."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.mapper import CustomStreamMap

from tests.support.catalogs import select
from tests.support.clocks import FakeClock
from tests.support.runs import run_by, run_tap
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator

Record = dict[str, Any]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve orders with all oddities."""
    with serve(FakeClock(), orders=40) as serving:
        yield serving


def test_maps_rename_hash_and_filter(clock: FakeClock) -> None:
    maps = {
        "order_reports": {
            "buyer": "md5((record.get('buyingCustomer') or {}).get('email') or '')",
            "buyingCustomer": None,
            "approverDetails": None,
        },
        "purchase_orders": {"__filter__": "record['purchaseOrderNumber'] > 'M'"},
    }
    with serve(clock, orders=40) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "order_reports"),
        )
        wanted = {number for number in serving.world.purchase_orders() if number > "M"}
    assert "@" not in run.output
    assert set(run.numbers()) == wanted
    assert len(run.numbers("order_reports")) > 0
    assert set(run.numbers("order_reports")) <= wanted
    assert {len(record["buyer"]) for record in run.records("order_reports")} == {32}


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
    ids=["no copy", "copies", "alias", "other key", "no items"],
)
def test_maps_of_purchase_orders_leave_their_children_whole(
    clock: FakeClock, maps: dict[str, Any]
) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "purchase_order_items", "order_reports"),
        )
        items, reports = serving.rows("purchase_order_items"), serving.rows("order_reports")
    assert run.status == 0, run.log
    assert sorted(run.keys("purchase_order_items")) == sorted(items)
    assert sorted(run.keys("order_reports")) == sorted(reports)


# ---- expressions that fail, and streams that are removed ---------------------------------------


@pytest.mark.parametrize(
    "maps",
    [
        {"buyer": "record['buyingCustomer']['email'] + 1"},
        {"__filter__": "record['buyingCustomer']['email'] > 1"},
        {"buyer": "no_such_name"},
    ],
    ids=["field", "filter", "name"],
)
def test_an_expression_that_fails_on_a_record_ends_its_stream_alone(
    clock: FakeClock, maps: dict[str, str]
) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        config = settings(serving, stream_maps={"orders": maps})
        run = run_by(clock, config, catalog=select("orders", "shipments"))
    assert run.status == 1
    (line,) = [line for line in run.log.splitlines() if line.startswith("orders: stream_maps:")]
    assert "an expression for orders fails on a record (" in line
    assert "Traceback" not in run.log
    assert run.records("shipments")
    assert not run.records("orders")


@pytest.mark.parametrize("maps", [{"purchase_orders": None}, {"__else__": "__NULL__"}])
def test_children_of_a_stream_that_is_removed_are_complete(
    clock: FakeClock, maps: dict[str, Any]
) -> None:
    maps = {**maps, "purchase_order_items": {"__source__": "purchase_order_items"}}
    with serve(clock, orders=20, quirks=False) as serving:
        config = settings(serving, stream_maps=maps)
        run = run_by(clock, config, catalog=select("purchase_orders", "purchase_order_items"))
        expected = serving.rows("purchase_order_items")
    assert run.by_key("purchase_order_items").keys() == expected.keys()
    assert not run.records("purchase_orders")


def test_a_filter_under_a_wildcard_holds_for_children_too(clock: FakeClock) -> None:
    maps = {"purchase_orders*": {"__filter__": "purchaseOrderNumber < '4'"}}
    with serve(clock, orders=60, quirks=False) as serving:
        config = settings(serving, stream_maps=maps)
        run = run_by(clock, config, catalog=select("purchase_orders", "order_reports"))
    orders = {number for (number,) in run.keys("purchase_orders")}
    reports = {number for number, _ in run.keys("order_reports")}
    assert reports
    assert reports <= orders


@pytest.mark.parametrize(
    "maps", [{"x": "1 +"}, {"__filter__": "("}, {"__key_properties__": ["no_such_field"]}]
)
def test_a_stream_map_that_cannot_be_used_is_one_line(
    simulator: Simulator, tmp_path: Path, maps: dict[str, Any]
) -> None:
    config = settings(simulator, stream_maps={"purchase_orders": maps})
    run = run_tap(config, tmp_path, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "| stream_maps cannot be used: " in run.log.splitlines()[-1]
    assert "Traceback" not in run.log


def test_the_mapper_is_used_by_one_thread_at_a_time(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    inside = threading.Semaphore()
    real = CustomStreamMap.get_filter_result

    def get_filter_result(stream_map: CustomStreamMap, record: Record) -> bool:
        assert inside.acquire(blocking=False)
        threads.append(threading.current_thread().name)
        result = real(stream_map, record)
        inside.release()
        return result

    monkeypatch.setattr(CustomStreamMap, "get_filter_result", get_filter_result)
    maps = {"purchase_orders": {"__filter__": "purchaseOrderNumber > ''"}}
    run = run_by(FakeClock(), settings(simulator, stream_maps=maps))
    assert run.status == 0, run.log
    assert {*threads} == {"purchase_orders"}
