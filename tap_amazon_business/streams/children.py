"""Child streams, synced a page of parents at a time.

The SDK syncs a child once per parent record, each time with a SCHEMA message, log lines and
metrics: two thousand parents took 105 seconds that way, and under three this way.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime
from typing import Any, ClassVar

from singer_sdk.helpers.types import Record
from typing_extensions import override

from tap_amazon_business.errors import RequestFailedError, TapError
from tap_amazon_business.records.decoding import json_of
from tap_amazon_business.run.progress import StreamProgress
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.sync.bookmark import Coverage
from tap_amazon_business.sync.seen import Seen

# A row of a parent, the bucket that it was listed in (None if it was not listed), and whether it is
# new or changed.
ListedRow = tuple[Row, datetime | None, bool]


class Child(abc.ABC):
    """Receiver of a parent's rows, for the records of another stream.

    Attributes:
        follows_siblings: Whether it needs what other children make of a page, and comes after them.
        failure: The error that ended it, None while it gets rows. If another parent has a child for
            the same stream, that one continues.
    """

    follows_siblings: ClassVar[bool] = False
    failure: TapError | None = None

    @property
    @abc.abstractmethod
    def stream(self) -> AmazonStream:
        """Return the stream whose records are built."""

    @property
    def covers(self) -> Coverage:
        """Return what the parent's bookmark has to cover for the child."""
        return {}

    def wants(self, bucket: datetime | None, *, changed: bool) -> bool:
        """Return whether rows of a bucket are wanted; by default only new and changed ones.

        Args:
            bucket: The start of the bucket, None for rows that were not listed.
            changed: Whether they are new or changed.
        """
        del bucket
        return changed

    def own_bookmark(self, end: datetime | None, position: datetime) -> dict[str, Any] | None:
        """Return the child's own part of the state, None if its parent's bookmark covers it.

        Args:
            end: The end of the parent's last finished slice.
            position: The parent's position in the lookback.
        """
        del end, position
        return None

    @abc.abstractmethod
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        """Yield the records of a page of parents."""

    def remaining(self) -> Iterator[Record]:
        """Yield the records that could not be built before the parent's last page."""
        return iter(())

    @property
    def alternative(self) -> str:
        """What the child does if its parent's lists are refused, in words; "" if nothing."""
        return ""

    def fall_back(self, error: RequestFailedError) -> bool:
        """Build the records in another way, as the parent failed; return whether there is one."""
        del error
        return False

    def parent_begins(self) -> None:  # noqa: B027 (few children need it)
        """Record that the parent is going to be synced, in parallel with others."""

    def parent_ended(self, error: TapError | None) -> None:  # noqa: B027 (few children need it)
        """Record that the parent's sync has ended, with the error if it failed."""

    # ---- driven by the parent ------------------------------------------------------------------

    @contextmanager
    def syncing(self, parent: StreamProgress) -> Iterator[None]:
        """Write the SCHEMA message, and the records while the parent is read."""
        self.stream.write_schema_once()
        self.stream.client.open()
        with self.stream.progress.running(parent):
            yield
        self.stream.warn_of_rescued()

    def take(self, rows: Sequence[ListedRow]) -> None:
        """Write the records of a page of parents; a failure ends the child's sync."""
        parents = [row for row, bucket, changed in rows if self.wants(bucket, changed=changed)]
        if parents:
            self._write(self.records_of(parents))

    def finish(self) -> None:
        """Write the records that could not be built before."""
        self._write(self.remaining())

    def _write(self, records: Iterable[Record]) -> None:
        if self.failure:
            return
        try:
            self.stream.write(records)
        except TapError as error:
            self.failure = error
            self.stream.client.close()
            self.stream.fail(error)


class ChildStream(Child, AmazonStream, abc.ABC):
    """A stream whose records belong to the records of a parent stream."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._emitted = Seen()

    @property
    @override
    def stream(self) -> AmazonStream:
        return self

    @override
    def child_of(self, parent: AmazonStream) -> Child | None:
        return self if type(parent) is self.parent_stream_type else None

    def records_once(self, rows: Iterable[object]) -> Iterator[Record]:
        """Yield the records of some rows of one parent, each key once.

        A parent that changes during a sync may come twice; records that both versions share are
        written once.
        """
        seen: set[tuple[str, ...]] = set()
        for row in self.valid_rows(rows):
            key = tuple(str(row[name]) for name in self.keys)
            if key in seen:
                self.warn_once(
                    ", ".join(self.keys), "two items have the same key; keeping the first"
                )
                continue
            seen.add(key)
            record = self.record(row)
            if self._emitted.add(json_of(record)):
                yield record


def with_children(
    stream: AmazonStream, children: Sequence[Child], rows: Sequence[ListedRow]
) -> Iterator[Record]:
    """Yield the records of a page of parents; once they are written, have children write theirs.

    Args:
        stream: The parent.
        children: Its children.
        rows: The rows. Unchanged ones go to the children only: no records are emitted for them.
    """
    # Writing a record removes its deselected fields, which children may need.
    copy = bool(children) and not stream.all_selected
    let_through = stream.filter if children else None
    passed: list[ListedRow] = []
    records: list[Record] = []
    for listed in rows:
        row, _, changed = listed
        if changed or let_through:
            record = deepcopy(stream.record(row)) if copy else stream.record(row)
            if changed:
                records.append(record)
            if let_through and not let_through(record):
                continue
        passed.append(listed)
    yield from records
    for child in children:
        child.take(passed)
