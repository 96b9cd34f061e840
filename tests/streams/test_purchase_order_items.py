"""purchase_order_items: the items of every order, without a request of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import EXACT, deselect, entry, select
from tests.support.orders import LATELY, item, order, orders_page
from tests.support.runs import Run, run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

PARENT, CHILD = "purchase_orders", "purchase_order_items"


def sync_rows(clock: FakeClock, *rows: object) -> Run:
    """Sync orders and their items, where these are all orders."""
    with serve(clock, orders=0, faults=[orders_page(*rows)]) as serving:
        run = run_by(clock, settings(serving, **LATELY), catalog=select(PARENT, CHILD))
    assert run.status == 0, run.log
    return run


def test_come_where_fields_of_their_orders_are_deselected(clock: FakeClock) -> None:
    catalog = deselect(select(PARENT, CHILD), "items", "purchaseOrderDate")
    with serve(clock, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
        expected = set(serving.rows(CHILD))
    assert not any("items" in record for record in run.records(PARENT))
    assert set(run.keys(CHILD)) == expected


def test_come_where_the_catalog_lacks_their_orders(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=select(CHILD))
        expected = set(serving.rows(CHILD))
    assert run.status == 0, run.log
    assert set(run.keys(CHILD)) == expected


def test_items_come_whatever_the_catalog_has_of_their_orders(clock: FakeClock) -> None:
    catalog = select(PARENT, CHILD)
    del entry(catalog, PARENT)["schema"]["properties"]["items"]
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
        rows = serving.rows(CHILD)
    assert run.status == 0
    assert set(run.keys(CHILD)) == set(rows)


def test_an_item_without_its_number_is_left_out(clock: FakeClock) -> None:
    run = sync_rows(clock, order("A1", [item("1"), {"isBackOrderAllowed": True}]))
    assert run.keys(CHILD) == [("A1", "1")]
    assert f"{CHILD}: purchaseOrderNumber, itemSequenceNumber" in run.log


def test_an_item_listed_twice_comes_once(clock: FakeClock) -> None:
    assert sync_rows(clock, order("A1", [item("1"), item("1")])).keys(CHILD) == [("A1", "1")]


def test_items_that_share_a_number_are_warned_of_once(clock: FakeClock) -> None:
    cut = item("1", isBackOrderAllowed=False)
    run = sync_rows(clock, order("A1", [item("1"), cut]), order("A2", [item("1"), cut]))
    assert [record["isBackOrderAllowed"] for record in run.records(CHILD)] == [True, True]
    key = "purchaseOrderNumber, itemSequenceNumber"
    assert run.log.count(f"{CHILD}: {key}: two items have the same key") == 1


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (2**63 - 1, 2**63 - 1),
        (1 - 2**63, 1 - 2**63),
        (2**63, None),
        (2**64, None),
        (10**40, None),
        (-(2**63) - 1, None),
    ],
)
def test_whole_numbers_too_large_for_a_column_become_null(
    clock: FakeClock, amount: int, expected: int | None
) -> None:
    quantity = {"amount": amount, "unitOfMeasure": "Cases"}
    run = sync_rows(clock, order("A1", [item("1", orderedQuantity=quantity)]))
    (record,) = run.records(CHILD)
    assert record["orderedQuantity"].get("amount") == expected
    assert record["orderedQuantity"]["unitOfMeasure"] == "Cases"
    assert ("orderedQuantity.amount" in run.log) == (expected is None)


def test_flattening_makes_columns_of_amounts(clock: FakeClock) -> None:
    flat: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 2}
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving, **flat), catalog=select(CHILD))
        rows = serving.rows(CHILD)
    (schema,) = [m["schema"] for m in run.messages if m["type"] == "SCHEMA"]
    assert EXACT.items() <= schema["properties"]["netCost__amount"].items()
    assert {key: record["netCost__amount"] for key, record in run.by_key(CHILD).items()} == {
        key: row["netCost"]["amount"] for key, row in rows.items()
    }
