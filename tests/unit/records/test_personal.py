"""Personal data of records, of any shape."""

from __future__ import annotations

from typing import Any

import pytest

from tap_amazon_business.records.personal import PERSONAL, PersonalData, personal_paths, replacement
from tap_amazon_business.streams.schemas.fields import (
    count,
    mapping,
    personal,
    record,
    records,
    schema,
    text,
)

SCHEMA = schema(
    text("id", "Key."),
    count("quantity", "How many."),
    record("buyer", "Who.")(*personal(text("name", "Name.")), text("role", "Role.")),
    records("parties", "All.")(*personal(text("phone", "Number."))),
    mapping("own", "Own fields."),
    records("lines", "Lines.")(count("quantity", "How many.")),
)


def hiding(personal_data: str = "drop", digits: int = 16) -> PersonalData:
    replace = replacement(personal_data, "salt", digits)
    assert replace
    return PersonalData(SCHEMA, replace)


def hidden(row: dict[str, Any], personal_data: str = "drop") -> dict[str, Any]:
    result = dict(row)
    hiding(personal_data).hide(result)
    return result


def test_marks_and_describes() -> None:
    assert list(personal_paths(SCHEMA)) == [("buyer", "name"), ("parties", "[]", "phone")]
    assert SCHEMA["properties"]["buyer"]["properties"]["name"] == {
        "type": ["string", "null"],
        "description": "Name. Personal data.",
        PERSONAL: True,
    }


def test_nothing_replaces_what_is_kept() -> None:
    assert replacement("keep", "salt", 16) is None


def test_hides_within_objects_and_arrays_and_changes_no_row() -> None:
    row = {
        "id": "1",
        "buyer": {"name": "Ada", "role": "Buyer"},
        "parties": [{"phone": "123"}, {}, None],
        "own": {"Cost centre": "CC-1", "Requester": "ada@buyer.example", "Empty": None},
        "lines": [{"quantity": 1}],
    }
    before = repr(row)
    assert hidden(row) == {
        **row,
        "buyer": {"name": None, "role": "Buyer"},
        "parties": [{"phone": None}, {}, None],
        "own": {"Cost centre": "CC-1", "Requester": None, "Empty": None},
    }
    assert repr(row) == before
    assert hidden(row)["lines"] is row["lines"]


@pytest.mark.parametrize("row", [{"id": "1"}, {"buyer": None, "parties": None, "own": None}])
def test_what_is_missing_stays_missing(row: dict[str, Any]) -> None:
    assert hidden(row) == row
    assert hidden(row, "hash") == row


def test_the_same_text_has_the_same_hash() -> None:
    found = hidden({"buyer": {"name": "Ada"}, "parties": [{"phone": "Ada"}, {"phone": ""}]}, "hash")
    name = found["buyer"]["name"]
    assert found["parties"] == [{"phone": name}, {"phone": ""}]
    assert len(name) == 16
    assert int(name, 16)


@pytest.mark.parametrize("value", ["Ada", ["Ada"], 7])
def test_values_of_a_user_made_schema_are_hidden_as_a_whole(value: object) -> None:
    found = hidden({"buyer": value, "own": value, "parties": value})
    assert "Ada" not in repr(found)


def test_a_lone_surrogate_can_be_hashed() -> None:
    assert hidden({"buyer": {"name": "\ud800"}}, "hash")["buyer"]["name"]


def test_of_unknown_fields_only_the_path_stays() -> None:
    rescued = {
        "buyer": "Ada",
        "buyer.mobile": "123",
        "buyer.name": 5,
        "quantity": "three",
        "lines[0].quantity": "three",
        "lines[1].quantity": {"of": "Ada"},
        "lines": {"of": "Ada"},
        "own": ["Ada"],
    }
    assert hiding().hide_rescued({"ada@buyer.example": 1}) == {"(e-mail)": None}
    kept = {"quantity": "three", "lines[0].quantity": "three"}
    assert hiding().hide_rescued(rescued) == {**dict.fromkeys(rescued), **kept}
    hashes = hiding("hash").hide_rescued(rescued)
    assert {path: value for path, value in hashes.items() if path in kept} == kept
    assert all(len(hashes[path]) == 16 for path in rescued.keys() - kept)
