"""purchase_order_status_items: a row for each item of a status, quantities side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.catalogs import select
from tests.support.faults import Answers
from tests.support.orders import LATELY
from tests.support.runs import Run, run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

PARENT, CHILD = "purchase_order_statuses", "purchase_order_status_items"


def sync_items(clock: FakeClock, *items: dict[str, Any]) -> Run:
    """Sync one status with these items."""
    status = {"purchaseOrderNumber": "A1", "itemStatus": [*items]}
    answers = Answers("getPurchaseOrdersStatus", {"payload": {"ordersStatus": [status]}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = run_by(clock, settings(serving, **LATELY), catalog=select(PARENT, CHILD))
    assert run.status == 0, run.log
    return run


def test_quantities_are_those_of_amazon_s_objects(clock: FakeClock) -> None:
    with serve(clock, orders=80) as serving:
        run = run_by(clock, settings(serving), catalog=select(CHILD))
        rows = serving.rows(CHILD)
    found = {
        key: (record["originalQuantity"], record["currentQuantity"], record["cancelledQuantity"])
        for key, record in run.by_key(CHILD).items()
    }
    assert found == {key: _ordered(row["orderedQuantity"]) for key, row in rows.items()}
    received = {
        key: (row["receivingStatus"] or {}).get("receivedQuantity", {}).get("amount", 0)
        for key, row in rows.items()
    }
    assert received == {
        key: record["receivedQuantity"] for key, record in run.by_key(CHILD).items()
    }


def _ordered(ordered: dict[str, Any]) -> tuple[int, int, int]:
    details = ordered["orderedQuantityDetails"]
    return (
        details[0]["orderedQuantity"]["amount"],
        ordered["orderedQuantity"]["amount"],
        sum(one["cancelledQuantity"]["amount"] for one in details),
    )


def test_a_wholly_cancelled_item_stays_with_nothing_ordered(clock: FakeClock) -> None:
    def eaches(amount: int) -> dict[str, Any]:
        return {"amount": amount, "unitOfMeasure": "Eaches", "unitSize": 1}

    run = sync_items(
        clock,
        {
            "itemSequenceNumber": "1",
            "orderedQuantity": {
                "orderedQuantity": eaches(0),
                "orderedQuantityDetails": [
                    {"orderedQuantity": eaches(5), "cancelledQuantity": eaches(5)}
                ],
            },
        },
    )
    (record,) = run.records(CHILD)
    assert (record["originalQuantity"], record["currentQuantity"]) == (5, 0)
    assert record["cancelledQuantity"] == 5


def test_an_item_listed_twice_comes_once(clock: FakeClock) -> None:
    item = {"itemSequenceNumber": "1"}
    assert sync_items(clock, item, item).keys(CHILD) == [("A1", "1")]


def test_a_receipt_emits_the_items_again_and_leaves_the_change_feed_as_it_is(
    clock: FakeClock,
) -> None:
    streams = select("purchase_orders", CHILD)
    with serve(clock, orders=40, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=streams)
        clock.advance(hours=1)
        old = min(serving.world.orders, key=lambda order: order.created).number
        serving.world.receive(old)
        serving.world.cut(old)
        clock.advance(hours=1)
        run = run_by(clock, settings(serving), catalog=streams, state=first.state)
    assert run.status == 0, run.log
    assert old in run.numbers(CHILD)
    assert old in run.numbers("purchase_orders")
