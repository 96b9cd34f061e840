"""vendor_shipment_items: what is in each shipment, by purchase order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.catalogs import select
from tests.support.faults import Answers
from tests.support.orders import LATELY
from tests.support.runs import Run, run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

PARENT, CHILD = "vendor_shipments", "vendor_shipment_items"


def item(number: str, amount: int = 1) -> dict[str, Any]:
    return {"itemSequenceNumber": number, "shippedQuantity": {"amount": amount}}


def sync_orders(clock: FakeClock, *orders: dict[str, Any]) -> Run:
    """Sync one shipment of these purchase orders."""
    shipment = {"vendorShipmentIdentifier": "S1", "purchaseOrders": [*orders]}
    answers = Answers("GetShipmentDetails", {"payload": {"shipments": [shipment]}})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = run_by(clock, settings(serving, **LATELY), catalog=select(CHILD))
    assert run.status == 0, run.log
    return run


def test_an_item_of_two_purchase_orders_comes_for_each(clock: FakeClock) -> None:
    run = sync_orders(
        clock,
        {"purchaseOrderNumber": "A", "items": [item("001", 5), item("002", 6)]},
        {"purchaseOrderNumber": "B", "items": [item("001", 7)]},
    )
    shipped = {
        key: record["shippedQuantity"]["amount"] for key, record in run.by_key(CHILD).items()
    }
    assert shipped == {("S1", "A", "001"): 5, ("S1", "A", "002"): 6, ("S1", "B", "001"): 7}


def test_an_item_without_a_purchase_order_has_an_empty_number(clock: FakeClock) -> None:
    run = sync_orders(clock, {"items": [item("001")]}, {"purchaseOrderNumber": None, "items": None})
    assert run.keys(CHILD) == [("S1", "", "001")]


def test_an_item_listed_twice_comes_once(clock: FakeClock) -> None:
    run = sync_orders(clock, {"purchaseOrderNumber": "A", "items": [item("001"), item("001")]})
    assert run.keys(CHILD) == [("S1", "A", "001")]


def test_an_item_without_its_number_is_left_out(clock: FakeClock) -> None:
    run = sync_orders(clock, {"purchaseOrderNumber": "A", "items": [item("001"), {}]})
    assert run.keys(CHILD) == [("S1", "A", "001")]
    assert f"{CHILD}: vendorShipmentIdentifier, purchaseOrderNumber, itemSequence" in run.log
