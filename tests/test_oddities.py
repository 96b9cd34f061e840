"""Catalogs, rows, values and settings of odd shapes: nothing is lost, doubled or unloadable."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Reply, Simulator, World
from tests.support.runs import Run, run_by, select

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator import Fault, Request
    from tests.support.clocks import FakeClock


class Answers:
    """Answers an operation with bodies of its own."""

    def __init__(self, operation: str, make: Callable[[Request], bytes | None]) -> None:
        self.operation, self.make = operation, make
        self.asked: list[Request] = []

    def decide(self, request: Request) -> Fault | None:
        if request.operation != self.operation:
            return None
        self.asked.append(request)
        body = self.make(request)
        return None if body is None else Reply(200, body=body)


def order(number: Any, clock: FakeClock, items: Any = None, **more: Any) -> dict[str, Any]:
    date = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "purchaseOrderNumber": number,
        "purchaseOrderState": "New",
        "orderDetails": {"purchaseOrderDate": date, "items": items or [], **more},
    }


def run(
    clock: FakeClock,
    *answers: Answers,
    streams: tuple[str, ...] = ("purchase_orders",),
    catalog: dict[str, Any] | None = None,
    orders: int = 0,
    state: Any = None,
    **settings: Any,
) -> Run:
    world = World(orders=orders, quirks=False, now=clock.now)
    with Simulator(
        world, Options(limits=False), monotonic=clock.monotonic, faults=answers
    ) as serving:
        settings = {"start_date": "2026-05-29T00:00:00Z", **settings} if answers else settings
        return run_by(
            clock, serving.config(**settings), catalog=catalog or select(*streams), state=state
        )


def pages(rows: list[Any]) -> Answers:
    body = json.dumps({"payload": {"orders": rows}}).encode()
    return Answers("getPurchaseOrders", lambda _: body)


def entry(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in catalog["streams"] if s["tap_stream_id"] == stream)
    return found


# ---- catalogs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], None, "absent"])
@pytest.mark.parametrize("stream", ["purchase_orders", "orders"])
def test_a_catalog_without_keys_loses_no_rows(clock: FakeClock, keys: Any, stream: str) -> None:
    catalog = select(stream)
    one = entry(catalog, stream)
    if keys == "absent":
        del one["key_properties"]
    else:
        one["key_properties"] = keys
    for part in one["metadata"]:
        part["metadata"].pop("table-key-properties", None)
    done = run(clock, catalog=catalog, orders=30)
    want = run(clock, catalog=select(stream), orders=30)
    assert len(want.records(stream)) > 20
    assert len(done.records(stream)) == len(want.records(stream))


def test_a_catalog_with_fewer_keys_loses_no_rows(clock: FakeClock) -> None:
    catalog = select("order_line_items")
    entry(catalog, "order_line_items")["key_properties"] = ["orderId"]
    done = run(clock, catalog=catalog, orders=40)
    want = run(clock, catalog=select("order_line_items"), orders=40)
    assert done.status == 0, done.log
    assert len(done.records("order_line_items")) == len(want.records("order_line_items"))


@pytest.mark.parametrize("field", ["items", "purchaseOrderDate", "purchaseOrderNumber"])
def test_a_catalog_without_what_children_are_made_of_is_refused(
    clock: FakeClock, field: str
) -> None:
    catalog = select("purchase_orders", "purchase_order_items")
    del entry(catalog, "purchase_orders")["schema"]["properties"][field]
    done = run(clock, catalog=catalog, orders=30)
    assert done.status != 0
    assert f"lacks {field}, of which purchase_order_items are made" in done.log
    assert not done.state["bookmarks"]["purchase_orders"]


def test_items_come_where_items_and_number_of_orders_are_deselected(clock: FakeClock) -> None:
    streams = ("purchase_orders", "purchase_order_items")
    catalog = select(*streams)
    for m in entry(catalog, "purchase_orders")["metadata"]:
        if m["breadcrumb"][:2] == ["properties", "items"]:
            m["metadata"]["selected"] = False
    done = run(clock, catalog=catalog, orders=30)
    want = run(clock, catalog=select(*streams), orders=30)
    assert len(done.records("purchase_order_items")) == len(want.records("purchase_order_items"))


def test_a_catalog_without_a_replication_key(clock: FakeClock) -> None:
    catalog = select("purchase_orders")
    del entry(catalog, "purchase_orders")["replication_key"]
    done = run(clock, catalog=catalog, orders=30)
    assert done.status == 0
    assert len(done.records("purchase_orders")) == 30


def test_deselected_parents_in_batches(clock: FakeClock, tmp_path: Any) -> None:
    done = run(
        clock,
        streams=("purchase_order_items",),
        orders=30,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": f"file://{tmp_path}"},
        },
    )
    assert done.status == 0
    assert {m["stream"] for m in done.messages if m["type"] == "BATCH"} == {"purchase_order_items"}
    assert done.bookmark() == "2026-06-01T11:58:00Z"


# ---- keys --------------------------------------------------------------------------------------


def test_items_without_their_key_are_left_out(clock: FakeClock) -> None:
    rows = [
        order(
            "A1",
            clock,
            [{"itemSequenceNumber": "1", "isBackOrderAllowed": True}, {"isBackOrderAllowed": True}],
        )
    ]
    done = run(clock, pages(rows), streams=("purchase_orders", "purchase_order_items"))
    assert done.status == 0
    assert [r.get("itemSequenceNumber") for r in done.records("purchase_order_items")] == ["1"]


def test_items_are_not_twice_in_a_sync(clock: FakeClock) -> None:
    item = {"itemSequenceNumber": "1", "isBackOrderAllowed": True}
    done = run(
        clock,
        pages([order("A1", clock, [item, item])]),
        streams=("purchase_orders", "purchase_order_items"),
    )
    assert len(done.records("purchase_order_items")) == 1


@pytest.mark.parametrize("number", [["x"], {"a": 1}], ids=str)
def test_keys_of_a_wrong_type_are_no_traceback(clock: FakeClock, number: Any) -> None:
    done = run(clock, pages([order(number, clock), order("A2", clock)]))
    assert "A2" in done.numbers()


def test_a_number_as_number_and_as_text_is_one_order(clock: FakeClock) -> None:
    done = run(clock, pages([order(12, clock), order("12", clock)]))
    assert done.numbers() == {"12": 1}


def test_rows_that_are_no_objects_are_said(clock: FakeClock) -> None:
    done = run(clock, pages(["A1", 7, None]))
    assert "WARNING" in done.log or "no object" in done.log or done.status != 0, done.log


@pytest.mark.parametrize("reported", [["x"], {"a": 1}], ids=str)
def test_a_report_that_names_no_text_is_no_traceback(clock: FakeClock, reported: Any) -> None:
    body = json.dumps({"ordersReport": [{"orderId": "1", "purchaseOrderNumber": reported}]})
    answers = Answers("getOrderReportsByPurchaseOrderNumber", lambda _: body.encode())
    done = run(clock, answers, streams=("order_reports",), purchase_order_numbers=["A1"])
    assert len(done.records("order_reports")) == 1


# ---- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2**63, 2**64, 10**40, -(2**63) - 1])
def test_whole_numbers_that_no_column_takes(clock: FakeClock, number: int) -> None:
    # Of a field of whole numbers (integer).
    row = order(
        "A1",
        clock,
        [
            {
                "itemSequenceNumber": "1",
                "orderedQuantity": {"amount": number, "unitOfMeasure": "Cases"},
            }
        ],
    )
    done = run(clock, pages([row]), streams=("purchase_orders", "purchase_order_items"))
    assert done.status == 0
    (record,) = done.records("purchase_order_items")
    amount = record["orderedQuantity"].get("amount")
    assert amount is None or abs(amount) < 2**63, amount


def test_nul_characters_do_not_reach_the_loader(clock: FakeClock) -> None:
    done = run(clock, pages([order("A1", clock, purchaseOrderType="Regular\0Order")]))
    assert done.status == 0
    assert "\\u0000" not in done.output


@pytest.mark.parametrize("depth", [500, 800, 900])
def test_deep_nesting_is_no_traceback(clock: FakeClock, depth: int) -> None:
    row = json.dumps(order("A1", clock, purchaseOrderType="@@"))
    deep = row.replace('"@@"', "[" * depth + "]" * depth)
    body = b'{"payload":{"orders":[' + deep.encode() + b"]}}"
    run(clock, Answers("getPurchaseOrders", lambda _: body))


@pytest.mark.parametrize("depth", [500, 800, 900])
def test_deep_nesting_in_reports_by_date_is_no_traceback(clock: FakeClock, depth: int) -> None:
    body = (
        b'{"ordersReport":[{"orderId":"1","purchaseOrderNumber":"A1","x":'
        + b"[" * depth
        + b"]" * depth
        + b"}]}"
    )
    run(
        clock,
        pages([order("A1", clock)]),
        Answers("getOrderReports", lambda _: body),
        streams=("purchase_orders", "order_reports"),
        order_reports_strategy="order_date",
    )


# ---- answers by number -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b'{"payload": null}', b'{"orders": []}', b'{"payload": [1]}', b'{"payload": "x"}'],
)
def test_an_order_by_number_of_another_shape_is_no_traceback(clock: FakeClock, body: bytes) -> None:
    done = run(
        clock, Answers("getPurchaseOrder", lambda _: body), purchase_order_numbers=["A1", "A2"]
    )
    assert done.status == 0 or "getPurchaseOrder (" in done.log


def test_numbers_that_are_addresses_are_not_told(clock: FakeClock) -> None:
    done = run(clock, orders=3, purchase_order_numbers=["jane@buyer.example"])
    assert "jane@buyer" not in done.log


@pytest.mark.parametrize("status", [400, 404])
def test_a_number_that_is_refused_is_named_and_another_way_told(
    clock: FakeClock, status: int
) -> None:
    body = json.dumps({"payload": {"orders": [order("A/1", clock)]}}).encode()
    refusal = Reply(status, body=b'{"errors":[{"code":"InvalidInput","message":"no"}]}')
    world = World(orders=0, quirks=False, now=clock.now)
    with Simulator(
        world,
        Options(limits=False),
        monotonic=clock.monotonic,
        faults=[Answers("getPurchaseOrders", lambda _: body)],
    ) as serving:
        serving.fail_next("getOrderReportsByPurchaseOrderNumber", refusal)
        done = run_by(
            clock,
            serving.config(order_reports_strategy="purchase_order"),
            catalog=select("purchase_orders", "order_reports"),
        )
    assert done.status != 0
    assert "A/1" in done.log
    assert "set order_reports_strategy to order_date" in done.log
    assert "purchase_orders" not in done.state["bookmarks"] or not done.state["bookmarks"][
        "purchase_orders"
    ].get("replication_key_value")


# ---- error messages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b'{"payload": null}', b'{"payload": [1]}', b'{"payload":{"pagination":[1]}}']
)
def test_an_answer_without_rows_says_what_came_and_what_to_do(
    clock: FakeClock, body: bytes
) -> None:
    done = run(clock, Answers("getPurchaseOrders", lambda _: body))
    assert done.status != 0
    assert "was answered with HTTP 200, but without a list of 'orders'. Run the" in done.log


@pytest.mark.parametrize(
    "payload",
    [{"orders": {}}, {"orders": ""}, {"purchaseOrders": [1]}],
    ids=str,
)
def test_a_payload_without_a_list_moves_no_bookmark(clock: FakeClock, payload: Any) -> None:
    body = json.dumps({"payload": payload}).encode()
    done = run(clock, Answers("getPurchaseOrders", lambda _: body))
    assert done.status != 0 or not done.states


# ---- endless -----------------------------------------------------------------------------------


def test_tokens_that_lead_round_in_circles_come_to_an_end(clock: FakeClock) -> None:
    turn = iter(range(10**9))

    def make(request: Request) -> bytes:
        n = next(turn)
        assert n < 10**9
        if n > 300:  # an end for the test's sake
            return b'{"payload":{"orders":[]}}'
        token = {"A": "B"}.get(request.parameters.get("nextToken", ""), "A")
        return json.dumps(
            {"payload": {"orders": [order("A1", clock)], "pagination": {"nextToken": token}}}
        ).encode()

    answers = Answers("getPurchaseOrders", make)
    run(clock, answers, max_parallel_requests=1)
    assert len(answers.asked) < 200


# ---- state and settings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": {}},
        {"bookmarks": None},
        {"bookmarks": []},
        {"bookmarks": {"purchase_orders": None}},
        {"bookmarks": {"purchase_orders": "x"}},
        {"bookmarks": {"purchase_orders": {"replication_key_value": "2026-05-20T00:00:00Z"}}},
        {
            "bookmarks": {
                "purchase_orders": {
                    "replication_key": "lastChangedDate",
                    "replication_key_value": "9999-12-31T23:59:59-12:00",
                }
            }
        },
    ],
    ids=str,
)
def test_states_of_other_shapes_are_no_traceback(clock: FakeClock, state: Any) -> None:
    run(clock, orders=3, state=copy.deepcopy(state))


@pytest.mark.parametrize(
    "settings",
    [
        {"end_date": "9999-12-31T23:59:59-12:00"},
        {"max_parallel_requests": 4.0},
        {"request_timeout": 60.0},
        {"lookback_days": 30.0},
        {"rate_limits": {"getPurchaseOrders": {"rate": float("nan"), "burst": 1}}},
        {"rate_limits": {"getPurchaseOrders": {"rate": 5, "burst": 5.0}}},
        {"start_date": "2026-W20-1"},
        {"ordering_vendor_codes": [""]},
        {"purchase_order_numbers": [""]},
    ],
    ids=str,
)
def test_settings_that_are_odd_are_no_traceback(clock: FakeClock, settings: Any) -> None:
    run(clock, orders=3, **settings)
