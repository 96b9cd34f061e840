"""What was emitted is remembered, in little memory."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.sync.seen import Seen


@given(st.lists(st.tuples(st.text(max_size=2)) | st.integers(-3, 300)))
def test_it_is_a_set(keys: list[object]) -> None:
    seen, expected = Seen(), set[object]()
    for key in keys:
        assert (key in seen) == (key in expected)
        assert seen.add(key) == (key not in expected)
        expected.add(key)
        assert key in seen
    assert len(seen) == len(expected)


def test_it_takes_at_most_fifty_bytes_a_key() -> None:
    keys = 100_000
    tracemalloc.start()
    seen = Seen()
    for number in range(keys):
        seen.add((f"PO-{number}", "1"))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == keys
    assert held / keys < 50
