"""Answers that no document describes: blank lists, ignored filters, odd values, rows of one key."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.faults import Answers, Fails, Refuses, ok, refusal
from tests.support.orders import LATELY
from tests.support.runs import run_by, select
from tests.support.serving import FAST_PLANS, NO_LIMITS, serve
from tests.support.syncs import Syncs, last, warnings

if TYPE_CHECKING:
    from simulator import Request
    from tests.support.clocks import FakeClock

FEED = "getPurchaseOrdersStatus"

# ---- lists without their rows ------------------------------------------------------------------

BLANK = [
    b'{"payload":{}}',
    b'{"payload":null}',
    b'{"payload":[]}',
    b'{"size":0}',
    b'{"ordersReport":null,"nextPageToken":null}',
]
LISTS = {
    "getPurchaseOrders": "purchase_orders",
    "getPurchaseOrdersStatus": "purchase_order_statuses",
    "GetShipmentDetails": "vendor_shipments",
    "getOrderReports": "orders",
    "getTransactions": "transactions",
}


@pytest.mark.parametrize("body", BLANK, ids=bytes.decode)
@pytest.mark.parametrize("operation", ["getPurchaseOrders", "getOrderReports"])
def test_a_list_without_its_rows_is_requested_again(
    clock: FakeClock, operation: str, body: bytes
) -> None:
    blank = Refuses(operation, ok(body), times=3)
    with serve(clock, orders=40, quirks=False, faults=[blank]) as serving:
        stream = LISTS[operation]
        run = Syncs(clock, serving, stream, max_parallel_requests=1).sync()
        expected = serving.rows(stream)
    assert len(blank.met) == 3
    assert run.by_key(stream).keys() == expected.keys()


@pytest.mark.parametrize("operation", LISTS)
def test_a_list_that_stays_without_its_rows_fails_its_stream(
    clock: FakeClock, operation: str
) -> None:
    blank = Fails(operation, 0, ok(BLANK[0]))
    blank.over = True
    stream = LISTS[operation]
    with serve(clock, orders=20, quirks=False, faults=[blank]) as serving:
        syncs = Syncs(clock, serving, stream)
        bookmark = syncs.sync().bookmark(stream)
        blank.over = False
        run = syncs.after(5, status=1)
    assert run.bookmark(stream) == bookmark
    assert operation in run.log


@pytest.mark.parametrize("body", [BLANK[0], BLANK[-1]], ids=bytes.decode)
def test_a_blank_answer_by_number_is_requested_again(clock: FakeClock, body: bytes) -> None:
    blank = Refuses("getOrderReportsByPurchaseOrderNumber", ok(body), times=3)
    strategy: dict[str, Any] = {"order_reports_strategy": "purchase_order"}
    with serve(clock, orders=10, quirks=False, faults=[blank]) as serving:
        run = Syncs(clock, serving, "order_reports", **strategy).sync()
        expected = serving.rows("order_reports")
    assert run.by_key("order_reports").keys() == expected.keys()


# ---- filters that have no effect ---------------------------------------------------------------


def test_update_dates_that_are_ignored_cost_little(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    stream = "purchase_order_statuses"
    ignored = {FEED: frozenset({"updatedAfter", "updatedBefore"})}
    options = replace(NO_LIMITS, ignored_parameters=ignored)
    # A sync that does not end by itself ends there.
    most = Fails(FEED, 450, refusal(400, "InvalidInput"))
    with serve(clock, options, orders=1_000, items=1, quirks=False, faults=[most]) as serving:
        syncs = Syncs(clock, serving, stream)
        first = syncs.sync()
        expected = serving.rows(stream)
        assert len(warnings(caplog, FEED)) == 1
        most.over = True
        syncs.after(2)
        hourly = syncs.after(1)
    assert first.by_key(stream).keys() == expected.keys()
    assert len(hourly.records(stream)) < 100


@pytest.mark.parametrize("changed", [{}, {"purchaseOrderChangedDate": "2020-02-01T00:00:00Z"}])
def test_large_rows_of_other_dates_do_not_narrow_the_windows(
    clock: FakeClock, changed: dict[str, str]
) -> None:
    details = {"purchaseOrderDate": "2020-01-01T00:00:00Z", "items": [], **changed}
    row = {**ORDINARY, "padding": "x" * 400_000, "orderDetails": details}
    page = json.dumps({"payload": {"orders": [row] * 40}}).encode()

    def answer(request: Request) -> bytes:
        return page if "changedAfter" in request.parameters else b'{"payload": {"orders": []}}'

    with serve(clock, orders=0, faults=[Answers("getPurchaseOrders", answer)]) as serving:
        syncs = Syncs(clock, serving, "purchase_orders")
        syncs.sync()
        assert len(serving.stats().calls) < 80
        serving.reset_stats()
        syncs.after(1)
        assert len(serving.stats().calls) < 20


def test_an_order_that_the_feed_names_comes_where_change_dates_are_ignored(
    clock: FakeClock,
) -> None:
    ignored = {"getPurchaseOrders": frozenset({"changedAfter", "changedBefore"})}
    options = replace(NO_LIMITS, ignored_parameters=ignored)
    with serve(clock, options, orders=200, span_days=60, items=1, quirks=False) as serving:
        syncs = Syncs(clock, serving, "purchase_orders")
        syncs.sync()
        syncs.after(2)
        number = serving.world.add_order(created=clock.now() - timedelta(days=40), items=1)
        syncs.after(24)
        serving.world.cut(number)
        run = syncs.after(1)
    assert (number,) in run.keys("purchase_orders")


def test_a_change_without_a_date_is_not_requested_by_number_too(clock: FakeClock) -> None:
    row = {**ORDINARY, "orderDetails": {"purchaseOrderDate": "2026-01-30T00:00:00Z", "items": []}}
    status = {"purchaseOrderNumber": "7TESTA01", "lastUpdatedDate": "2026-06-01T12:30:00Z"}
    since = "2026-06-01T12:15:00Z"

    def order(request: Request) -> object:
        late = request.parameters.get("changedBefore", "") > since
        return {"payload": {"orders": [row] if late else []}}

    faults = [
        Answers("getPurchaseOrders", order),
        Answers(FEED, {"payload": {"ordersStatus": [status]}}),
    ]
    with serve(clock, orders=0, quirks=False, faults=faults) as serving:
        syncs = Syncs(clock, serving, "purchase_orders", start_date="2026-05-31T00:00:00Z")
        syncs.sync()
        run = syncs.after(1)
        calls = [call.operation for call in serving.stats().calls]
    assert run.keys("purchase_orders") == [("7TESTA01",)]
    assert "getPurchaseOrder" not in calls


def test_a_feed_that_names_all_orders_costs_a_sync_little(clock: FakeClock) -> None:
    ignored = {FEED: frozenset({"updatedAfter", "updatedBefore"})}
    options = replace(NO_LIMITS, ignored_parameters=ignored)
    with serve(clock, options, orders=400, items=1, quirks=False) as serving:
        syncs = Syncs(clock, serving, "purchase_orders")
        syncs.sync()
        syncs.after(2)
        serving.reset_stats()
        run = syncs.after(1)
        requests = len(serving.stats().calls)
    assert len(run.records("purchase_orders")) < 40
    assert requests < 60


def test_every_order_comes_once_where_vendor_codes_are_ignored(clock: FakeClock) -> None:
    ignored = {"getPurchaseOrders": frozenset({"orderingVendorCode"})}
    options = replace(NO_LIMITS, ignored_parameters=ignored)
    with serve(clock, options, orders=60, quirks=False) as serving:
        orders = serving.rows("purchase_orders")
        codes = {row["orderDetails"]["sellingParty"]["partyId"] for row in orders.values()}
        syncs = Syncs(clock, serving, "purchase_orders", ordering_vendor_codes=sorted(codes))
        run = syncs.sync()
    assert len(codes) == 2
    assert sorted(run.keys("purchase_orders")) == sorted(orders)


# ---- fields and values that no model has -------------------------------------------------------

ODD = {
    "purchaseOrderNumber": "7TESTA02",
    "orderDetails": {
        "purchaseOrderDate": "2026-05-30T00:00:00Z",
        "brandNewField": {"a": [1]},
        "items": [
            {
                "itemSequenceNumber": "1",
                "netCost": {"amount": "about 5", "currencyCode": "USD"},
            }
        ],
    },
}
ORDINARY = {
    "purchaseOrderNumber": "7TESTA01",
    "orderDetails": {"purchaseOrderDate": "2026-05-30T00:00:00Z", "items": []},
}


def rescued(record: dict[str, Any]) -> Any:
    """Return what was rescued of a record, whether it is written as an object or as its JSON."""
    value = record["rescuedData"]
    return json.loads(value) if isinstance(value, str) else value


def test_fields_and_values_that_do_not_fit_are_rescued(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = Answers("getPurchaseOrders", {"payload": {"orders": [ORDINARY, ODD]}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = Syncs(clock, serving, "purchase_orders", **LATELY).sync()
    records = run.by_key("purchase_orders")
    assert rescued(records["7TESTA01",]) is None
    assert rescued(records["7TESTA02",]) == {
        "brandNewField": {"a": [1]},
        "items[0].netCost.amount": "about 5",
    }
    assert len(warnings(caplog, "brandNewField")) == 1
    assert len(warnings(caplog, "netCost.amount")) == 1


def test_rows_that_fit_have_nothing_rescued(clock: FakeClock) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        run = Syncs(clock, serving, *LISTS.values(), "order_reports").sync()
    for stream in (*LISTS.values(), "order_reports"):
        assert run.records(stream)
        assert {rescued(record) for record in run.records(stream)} == {None}, stream


# ---- maps --------------------------------------------------------------------------------------


def test_a_map_is_one_column_of_flattened_records(clock: FakeClock) -> None:
    report = {
        "orderMetadata": {
            "orderId": "114-0000000-0000001",
            "orderDate": "2026-05-30T00:00:00Z",
            "region": "US",
        },
        "orderStatus": "CLOSED",
        "charges": [],
        "businessOrderInfo": {"Cost center": "CC-7", "GL code": "6400"},
    }
    answers = Answers(
        "getOrderReports",
        lambda r: {"ordersReport": [report] if r.parameters["region"] == "US" else []},
    )
    flattening: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 1}
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = Syncs(clock, serving, "orders", **flattening).sync()
    (record,) = run.records("orders")
    (schema,) = [m["schema"]["properties"] for m in run.messages if m["type"] == "SCHEMA"]
    assert record.keys() <= schema.keys()
    info = record["businessOrderInfo"]
    assert (json.loads(info) if isinstance(info, str) else info) == report["businessOrderInfo"]
    assert schema["businessOrderInfo"].get("properties") != {}


# ---- rows of one key ---------------------------------------------------------------------------


def shipment(kind: str, date: str) -> dict[str, str]:
    return {
        "vendorShipmentIdentifier": "VS-1",
        "transactionType": kind,
        "transactionDate": date,
        "shipmentCreateDate": "2026-05-30T00:00:00Z",
    }


def test_versions_of_a_shipment_are_written_in_the_order_in_which_they_came(
    clock: FakeClock,
) -> None:
    new = shipment("New", "2026-05-30T00:00:00Z")
    cancelled = shipment("Cancel", "2026-05-30T05:00:00Z")
    answers = Answers("GetShipmentDetails", {"payload": {"shipments": [new, cancelled, cancelled]}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = Syncs(clock, serving, "vendor_shipments", **LATELY).sync()
    kinds = [record["transactionType"] for record in run.records("vendor_shipments")]
    assert kinds == ["New", "Cancel"]


def test_identical_items_of_two_versions_of_a_shipment_are_written_once(clock: FakeClock) -> None:
    items = [{"itemSequenceNumber": "001", "vendorProductIdentifier": "V1"}]
    orders = {"purchaseOrders": [{"purchaseOrderNumber": "A1", "items": items}]}
    rows = [
        {**shipment("New", "2026-05-30T00:00:00Z"), **orders},
        {**shipment("Cancel", "2026-05-30T05:00:00Z"), **orders},
    ]
    answers = Answers("GetShipmentDetails", {"payload": {"shipments": rows}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        streams = ("vendor_shipments", "vendor_shipment_items")
        run = Syncs(clock, serving, *streams, **LATELY).sync()
    assert run.keys("vendor_shipments") == [("VS-1",), ("VS-1",)]
    assert run.keys("vendor_shipment_items") == [("VS-1", "A1", "001")]


def test_the_last_version_of_a_cancelled_shipment_counts(clock: FakeClock) -> None:
    with serve(clock, orders=60, span_days=25, quirks=False) as serving:
        syncs = Syncs(clock, serving, "vendor_shipments", "vendor_shipment_items")
        before = serving.rows("vendor_shipments")
        cancelled = [
            identifier
            for (identifier,), row in before.items()
            if datetime.fromisoformat(row["shipmentCreateDate"]) < clock.now() - timedelta(days=3)
        ][::9]
        syncs.sync()
        for identifier in cancelled:
            serving.world.cancel_shipment(identifier)
        found = last(syncs.cycle(), "vendor_shipments")
    assert len(cancelled) > 2
    assert {found[identifier,]["transactionType"] for identifier in cancelled} == {"Cancel"}


def test_an_order_that_changes_while_it_is_listed_is_written_as_it_came_last(
    clock: FakeClock,
) -> None:
    def order(state: str) -> dict[str, Any]:
        details = {"purchaseOrderDate": "2026-05-30T00:00:00Z", "items": []}
        return {"purchaseOrderNumber": "A1", "purchaseOrderState": state, "orderDetails": details}

    rows = [order("New"), order("New"), order("Closed")]
    answers = Answers("getPurchaseOrders", {"payload": {"orders": rows}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        config = serving.config(rate_limits=FAST_PLANS, max_parallel_requests=1, **LATELY)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert [r["purchaseOrderState"] for r in run.records("purchase_orders")][:2] == [
        "New",
        "Closed",
    ]


# ---- large rows --------------------------------------------------------------------------------


def test_windows_are_narrower_where_rows_are_large(clock: FakeClock) -> None:
    def windows(items: int) -> int:
        with serve(clock, orders=900, items=items, quirks=False) as serving:
            syncs = Syncs(
                clock, serving, "purchase_orders", start_date="2026-05-01", max_parallel_requests=1
            )
            syncs.sync()
            calls = serving.stats().calls
        return len({call.parameters.get("createdAfter") for call in calls})

    assert windows(items=1000) > 1.5 * windows(items=1)


# ---- filters, reach, keys, page tokens ---------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "setting"),
    [
        ("purchaseOrderState", {"purchase_order_state": "Closed"}),
        ("orderingVendorCode", {"ordering_vendor_codes": ["OTHER"]}),
    ],
)
def test_a_filter_that_is_ignored_is_warned_of_once(
    clock: FakeClock, parameter: str, setting: dict[str, Any]
) -> None:
    options = replace(NO_LIMITS, ignored_parameters={"getPurchaseOrders": frozenset({parameter})})
    with serve(clock, options, orders=40, quirks=False) as serving:
        run = Syncs(clock, serving, "purchase_orders", **setting).sync()
    assert len(run.numbers()) == 40
    assert run.log.count("getPurchaseOrders ignores purchase_order_state or ") == 1


def test_a_filter_that_is_heeded_is_not_warned_of(clock: FakeClock) -> None:
    with serve(clock, orders=40, quirks=False) as serving:
        rows = serving.rows("purchase_orders").values()
        codes = {row["orderDetails"]["sellingParty"]["partyId"] for row in rows}
        filters: dict[str, Any] = {
            "purchase_order_state": "Closed",
            "ordering_vendor_codes": sorted(codes),
        }
        run = Syncs(clock, serving, "purchase_orders", **filters).sync()
    assert run.numbers()
    assert "ignores" not in run.log


@pytest.mark.parametrize("stream", ["purchase_orders", "vendor_shipments"])
def test_a_first_window_that_is_refused_as_too_old_is_moved(clock: FakeClock, stream: str) -> None:
    day = 86_400_000
    with serve(clock, replace(NO_LIMITS, history=177 * day), orders=40, quirks=False) as serving:
        run = Syncs(clock, serving, stream).sync()
        expected = serving.rows(stream)
    assert run.log.count("Amazon refuses the oldest days that the operation reads") == 1
    young = {key for key, row in expected.items() if _listed_on(row) > "2025-12-10"}
    assert len(young) > 20
    assert young <= run.by_key(stream).keys()
    assert run.bookmark(stream) == "2026-06-01T11:58:00Z"


def _listed_on(row: dict[str, Any]) -> str:
    date = row.get("orderDetails", row)
    return str(date.get("purchaseOrderDate") or date.get("shipmentCreateDate") or "")


@pytest.mark.parametrize(
    "token",
    [
        lambda payload, token: {"payload": payload, "pagination": {"nextToken": token}},
        lambda payload, token: {"payload": {**payload, "nextToken": token}},
        lambda payload, token: {"payload": payload, "nextToken": token},
    ],
    ids=["pagination beside the payload", "token in the payload", "token beside the payload"],
)
def test_a_page_token_elsewhere_leads_to_the_next_page(clock: FakeClock, token: Any) -> None:
    date = {"orderDetails": {"purchaseOrderDate": "2026-05-29T01:00:00Z"}}

    def answer(request: Any) -> object:
        if "createdAfter" not in request.parameters:
            return {"payload": {"orders": []}}
        if "nextToken" in request.parameters:
            return {"payload": {"orders": [{"purchaseOrderNumber": "P2", **date}]}}
        return token({"orders": [{"purchaseOrderNumber": "P1", **date}]}, "next")

    with serve(clock, orders=1, faults=[Answers("getPurchaseOrders", answer)]) as serving:
        run = Syncs(clock, serving, "purchase_orders", start_date="2026-05-29").sync()
    assert run.numbers().keys() == {"P1", "P2"}


def test_an_empty_key_is_a_missing_key(clock: FakeClock) -> None:
    line = {"orderMetadata": {"orderId": "O1", "orderDate": "2026-05-29T01:00:00Z"}}
    body = {"orderLineItemsReport": [{**line, "orderLineItemId": n} for n in ("", "", "L1")]}
    with serve(clock, orders=1, faults=[Answers("getOrderLineItemReports", body)]) as serving:
        run = Syncs(clock, serving, "order_line_items", start_date="2026-05-29").sync()
    assert run.keys("order_line_items") == [("O1", "L1")]
    assert run.log.count("a row without its key was skipped") == 1


# ---- some purchase orders by number ------------------------------------------------------------


def test_one_refused_number_leaves_the_others_alone(clock: FakeClock) -> None:
    refused = Refuses(
        "getPurchaseOrder", refusal(400, "InvalidInput"), lambda request: request.argument == "BAD"
    )
    with serve(clock, orders=20, quirks=False, faults=[refused]) as serving:
        numbers = [number for (number,) in serving.rows("purchase_orders")][:4]
        wanted = [*numbers[:2], "BAD", *numbers[2:]]
        run = Syncs(clock, serving, "purchase_orders").sync(status=1, purchase_order_numbers=wanted)
    assert run.numbers().keys() == {*numbers}
    assert run.log.count("purchase order BAD) was refused") >= 1


def test_a_run_by_number_leaves_the_next_usual_sync_as_it_was(clock: FakeClock) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        syncs = Syncs(clock, serving, "purchase_orders", "orders", "order_reports")
        syncs.sync()
        number = next(iter(serving.rows("purchase_orders")))[0]
        syncs.sync(purchase_order_numbers=[number])
        clock.advance(hours=1)
        run = syncs.sync()
    assert "reading everything again" not in run.log
