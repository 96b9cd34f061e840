"""A compact memory of the rows that a sync has emitted."""

from __future__ import annotations

from array import array
from collections.abc import Hashable

_FEW = 1 << 8
_MASK = (1 << 64) - 1


class Seen:
    """A set of keys that only grows, at 12 to 24 bytes a key; a set of tuples takes 200.

    It keeps 64 bits of each key's hash, which Python draws anew for every process. Among a million
    keys, two of one hash are as likely as one in thirty million.
    """

    def __init__(self) -> None:
        self._slots = _empty(_FEW)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: Hashable) -> bool:
        value = _hash(key)
        return self._slots[_place(self._slots, value)] == value

    def add(self, key: Hashable) -> bool:
        """Add a key; return whether it is new."""
        value = _hash(key)
        place = _place(self._slots, value)
        if self._slots[place] == value:
            return False
        self._slots[place] = value
        self._count += 1
        if 3 * self._count > 2 * len(self._slots):
            self._grow()
        return True

    def _grow(self) -> None:
        slots = _empty(2 * len(self._slots))
        for value in self._slots:
            if value:
                slots[_place(slots, value)] = value
        self._slots = slots


def _empty(size: int) -> array[int]:
    return array("Q", bytes(8 * size))


def _hash(key: Hashable) -> int:
    return hash(key) & _MASK or 1  # 0 is an empty slot


def _place(slots: array[int], value: int) -> int:
    """Return the slot of a value, or the one where it belongs."""
    last = len(slots) - 1  # the size is a power of two
    place = value & last
    while slots[place] not in (0, value):
        place = (place + 1) & last
    return place
