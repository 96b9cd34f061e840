"""A set of keys that only grows, in little memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.sync.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_BYTES = 50
# As streams have them: the values of their key fields.
keys: st.SearchStrategy[Hashable] = (
    st.sampled_from("abcdefgh")
    | st.text(max_size=3)
    | st.tuples(st.text(max_size=2), st.text(max_size=2))
)


@given(st.lists(keys, max_size=60), st.lists(keys, max_size=10))
def test_behaves_as_a_set(added: list[Hashable], others: list[Hashable]) -> None:
    seen, expected = Seen(), set[object]()
    for key in added:
        assert seen.add(key) == (key not in expected)
        expected.add(key)
        assert key in seen
        assert len(seen) == len(expected)
    assert [key in seen for key in others] == [key in expected for key in others]


def test_is_empty_at_first() -> None:
    seen = Seen()
    assert len(seen) == 0
    assert "" not in seen
    assert 0 not in seen


@pytest.mark.parametrize("count", [169, 170, 171, 172, 255, 256, 257, 5_000])
def test_keeps_every_key_as_it_grows(count: int) -> None:
    seen = Seen()
    assert all(seen.add(("order", str(number))) for number in range(count))
    assert not any(seen.add(("order", str(number))) for number in range(count))
    assert all(("order", str(number)) in seen for number in range(count))
    assert not any(("order", str(number)) in seen for number in range(count, count + 100))
    assert len(seen) == count


def test_finds_keys_whose_places_collide() -> None:
    seen = Seen()
    # The hash of a number is the number, and its low bits are its place.
    colliding = [number << 20 for number in range(1, 500)]
    assert all(map(seen.add, colliding))
    assert all(key in seen for key in colliding)
    assert 500 << 20 not in seen


def test_a_key_takes_at_most_fifty_bytes() -> None:
    seen = Seen()
    count = 200_000
    assert all(seen.add((str(number), "1")) for number in range(count))
    taken = sum(sys.getsizeof(part) for part in vars(seen).values())
    assert len(seen) == count
    assert taken / count <= MOST_BYTES
