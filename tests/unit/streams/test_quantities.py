"""Sums of the quantities of an item's status."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.streams.quantities import eaches, totals


def units(amount: object, unit: str = "Eaches", size: object = 1) -> dict[str, Any]:
    return {"amount": amount, "unitOfMeasure": unit, "unitSize": size}


# As in recorded replies: 23 of 23 accepted although 12 were and 11 were cancelled later, and the
# latest change first.
RECORDED: dict[str, Any] = {
    "itemSequenceNumber": "1",
    "orderedQuantity": {
        "orderedQuantity": units(12),
        "orderedQuantityDetails": [
            {
                "updatedDate": "2026-06-03T00:00:00.5Z",
                "orderedQuantity": units(12),
                "cancelledQuantity": units(11),
            },
            {"updatedDate": "2026-06-03T00:00:00Z", "orderedQuantity": units(23)},
        ],
    },
    "acknowledgementStatus": {
        "confirmationStatus": "ACCEPTED",
        "acceptedQuantity": units(23),
        "acknowledgementStatusDetails": [
            {"acceptedQuantity": units(4)},
            {"acceptedQuantity": units(8), "rejectedQuantity": units(0)},
        ],
    },
    "receivingStatus": {
        "receiveStatus": "PARTIALLY_RECEIVED",
        "receivedQuantity": units(1, "Cases", 5),
        "lastReceiveDate": "2026-06-05T01:02:03.456Z",
    },
}


def test_a_recorded_item_is_understood() -> None:
    assert totals(RECORDED) == {
        "originalQuantity": 23,
        "currentQuantity": 12,
        "cancelledQuantity": 11,
        "acceptedQuantity": 12,
        "rejectedQuantity": 0,
        "receivedQuantity": 5,
        "lastReceiveDate": "2026-06-05T01:02:03.456Z",
        "unitOfMeasure": "Eaches",
        "unitSize": 1,
    }


def test_an_item_without_anything_has_no_quantities() -> None:
    assert totals({"itemSequenceNumber": "1"}) == {
        "originalQuantity": None,
        "currentQuantity": None,
        "cancelledQuantity": 0,
        "acceptedQuantity": 0,
        "rejectedQuantity": 0,
        "receivedQuantity": 0,
        "lastReceiveDate": None,
        "unitOfMeasure": None,
        "unitSize": None,
    }


def test_without_changes_the_current_quantity_is_the_original_one() -> None:
    found = totals({"orderedQuantity": {"orderedQuantity": units(2, "Cases", 6)}})
    assert (found["originalQuantity"], found["currentQuantity"]) == (12, 12)
    assert (found["unitOfMeasure"], found["unitSize"]) == ("Cases", 6)


def test_a_change_without_a_date_is_not_the_earliest() -> None:
    changes = [
        {"orderedQuantity": units(1)},
        {"updatedDate": "2026-06-02T00:00:00Z", "orderedQuantity": units(2)},
        {"updatedDate": "2026-06-02T00:00:00Z", "orderedQuantity": units(3)},
    ]
    assert totals({"orderedQuantity": {"orderedQuantityDetails": changes}})["originalQuantity"] == 2


@pytest.mark.parametrize(
    ("confirmation", "expected"),
    [("UNCONFIRMED", (0, 0)), ("REJECTED", (3, 4)), ("UNDER_REVIEW", (3, 4)), (None, (3, 4))],
)
def test_without_details_the_item_itself_counts_unless_it_is_unconfirmed(
    confirmation: str | None, expected: tuple[int, int]
) -> None:
    status = {
        "confirmationStatus": confirmation,
        "acceptedQuantity": units(3),
        "rejectedQuantity": units(4),
    }
    found = totals({"acknowledgementStatus": status})
    assert (found["acceptedQuantity"], found["rejectedQuantity"]) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (units(7), 7),
        (units(7, "Eaches", 6), 7),
        (units(7, "Cases", 6), 42),
        (units(7, "CASES", 6), 42),
        (units(7, "Cases", None), 7),
        (units("7", "Cases", "6"), 42),
        ({"amount": 7}, 7),
        (units(None, "Cases", 6), None),
        (units("seven"), None),
        (None, None),
        ("7", None),
    ],
)
def test_quantities_are_counted_in_eaches(quantity: object, expected: int | None) -> None:
    assert eaches(quantity) == expected


AMOUNTS = st.integers(0, 10**6)
CONFIRMATIONS = st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1)


@given(CONFIRMATIONS, AMOUNTS)
def test_confirmations_sum_up_whatever_the_item_says(
    confirmations: list[tuple[int, int]], said: int
) -> None:
    details = [
        {"acceptedQuantity": units(accepted), "rejectedQuantity": units(rejected)}
        for accepted, rejected in confirmations
    ]
    status = {"acceptedQuantity": units(said), "acknowledgementStatusDetails": details}
    found = totals({"acknowledgementStatus": status})
    assert found["acceptedQuantity"] == sum(accepted for accepted, _ in confirmations)
    assert found["rejectedQuantity"] == sum(rejected for _, rejected in confirmations)


@given(st.lists(st.tuples(st.datetimes(), AMOUNTS, AMOUNTS), min_size=1, unique_by=lambda c: c[0]))
def test_the_order_of_changes_does_not_matter(changes: list[tuple[Any, int, int]]) -> None:
    def item(listed: list[tuple[Any, int, int]]) -> dict[str, Any]:
        details = [
            {
                "updatedDate": f"{moment.isoformat()}Z",
                "orderedQuantity": units(ordered),
                "cancelledQuantity": units(cancelled),
            }
            for moment, ordered, cancelled in listed
        ]
        return {"orderedQuantity": {"orderedQuantityDetails": details}}

    found = totals(item(changes))
    assert found == totals(item(changes[::-1]))
    assert found["originalQuantity"] == min(changes)[1]
    assert found["cancelledQuantity"] == sum(cancelled for *_, cancelled in changes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["amount", "unitSize", "unitOfMeasure", *RECORDED, *RECORDED["orderedQuantity"]]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(RECORDED, JSON)))
def test_no_item_is_too_odd(item: dict[str, Any]) -> None:
    found = totals(item)
    assert all(
        value is None or isinstance(value, int)
        for name, value in found.items()
        if name.endswith("Quantity")
    )
