"""Child streams, synced a page of parents at a time.

The SDK syncs a child once per parent record, each time with a SCHEMA message, log lines and
metrics: two thousand parents took 105 seconds that way, and under three this way.
"""

from __future__ import annotations

import abc
import math
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.base import AmazonStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.sync.bookmark import Coverage, ResumePoint
    from tap_amazon_business.sync.track import Track

    # Makes records of a page of parents, and of the moment since when a change of theirs is news.
    Reader = Callable[[Sequence[Row], datetime | None], Iterator[Record]]


class Child(abc.ABC):
    """What a parent hands its pages to, for the records of another stream.

    Attributes:
        parent_fields: The fields of a parent's record that children are made of.
        takes_rows: Whether they are made of the parent's rows instead, whatever a catalog or a
            stream map does to its records.
        needs_past: Whether the parent's bookmark has to cover the child.
        made_of_children: Whether it needs what other children make of a page, and comes after them.
    """

    parent_fields: ClassVar[tuple[str, ...]] = ()
    takes_rows: ClassVar[bool] = False
    needs_past: bool = True
    made_of_children: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def stream(self) -> AmazonStream:
        """Return the stream whose records are made."""

    @property
    def covers(self) -> Coverage:
        """Return what the parent's bookmark has to cover for the child."""
        return {}

    @property
    def bookmark_part(self) -> Mapping[str, Any]:
        """Return what the parent's part of the state keeps for the child."""
        return {}

    def start(self, now: datetime) -> datetime | None:
        """Return where a first sync begins that is for this child alone."""
        del now
        return self.stream.settings.start_date

    def most_pages(self) -> float:
        """Return how many pages a first sync that is for this child alone is worth."""
        return math.inf

    def without_pages(self, since: datetime, tell: Callable[[int, int], None]) -> Iterator[Record]:
        """Yield the records where the parent's pages cannot be had, or cost too much.

        Args:
            since: Since when.
            tell: Called with how many requests are done, and how many there are.
        """
        del since, tell
        return iter(())

    def wants_unchanged(self, parent: Row) -> bool:
        """Tell whether a parent is wanted that did not change."""
        del parent
        return False

    def reader(self, resume: ResumePoint) -> AbstractContextManager[Reader]:
        """Return what makes records of a page of parents; it lives for one sync."""
        del resume
        return nullcontext(self.children)

    def children(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        """Yield the records of a page of parents; a child has this, or a reader of its own.

        Args:
            parents: The parents, each with the parent fields.
            since: A parent that changed before came in an earlier sync; None if all are new.
        """
        raise NotImplementedError

    def require_parent_fields(self, parent: str, schema: Mapping[str, Any]) -> None:
        """Check that the parent's schema in the catalog has the fields that children are made of.

        Raises:
            TapError: It does not. The fields may be deselected, but not removed.
        """
        if lacking := [name for name in self.parent_fields if name not in schema["properties"]]:
            raise TapError(
                f"The catalog's schema of {parent} lacks {', '.join(lacking)}, which "
                f"{self.stream.name} is made of: create the catalog again with --discover, and "
                "deselect fields by their metadata"
            )

    @contextmanager
    def syncing(self, resume: ResumePoint, parent: Track) -> Iterator[ChildSync]:
        """Announce the stream once, and make its records while its parent is read."""
        self.stream.announce()
        with self.stream.track.running(parent), self.reader(resume) as reader:
            yield ChildSync(self, reader)


class ChildStream(Child, AmazonStream, abc.ABC):
    """A stream whose records belong to the records of a parent stream."""

    @property
    @override
    def stream(self) -> AmazonStream:
        return self

    def child_of(self, parent: AmazonStream) -> Child | None:
        """Return what takes the parent's pages for this stream, None if it is not its parent."""
        return self if type(parent) is self.parent_stream_type else None

    def records_once(self, rows: Iterable[object]) -> Iterator[Record]:
        """Yield the records of some rows of one parent, each key once."""
        seen: set[tuple[str, ...]] = set()
        for row in self.valid_rows(rows):
            key = tuple(str(row[name]) for name in self.keys)
            if key in seen:
                self.warn_once(
                    ", ".join(self.keys), "two parts of a row share their key; the first one counts"
                )
                continue
            seen.add(key)
            yield self.record(row)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        # The SDK would add an empty part of the child to the state.
        return

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        # Only a parent has pages; the SDK never calls this for a child.
        return ()


class ChildSync:
    """One sync of a child.

    Attributes:
        child: The child.
        failed: Whether it failed; what other parents have for its stream goes on.
    """

    def __init__(self, child: Child, reader: Reader) -> None:
        self.child = child
        self.failed = False
        self._reader = reader

    def take(
        self,
        parent: AmazonStream,
        rows: Sequence[Row],
        records: Sequence[Record],
        unchanged: Sequence[Row],
    ) -> list[Row]:
        """Return the child's part of a page of parents."""
        if self.child.takes_rows:
            return [*rows, *unchanged]
        return [
            {name: record.get(name) for name in self.child.parent_fields}
            for record in (*records, *map(parent.record, unchanged))
            if parent.passes_filter(record)
        ]

    def add(self, parents: Sequence[Row], since: datetime | None) -> None:
        """Write the records of a page of parents; a failure ends the child's sync."""
        if parents:
            self.write(self._reader(parents, since))

    def write(self, records: Iterable[Record]) -> None:
        """Write records, if nothing has failed yet."""
        if self.failed:
            return
        try:
            self.child.stream.write(self._counted(records))
        except TapError as error:
            self.failed = True
            self.child.stream.fail(error)

    def _counted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.child.stream.track.count()
            yield record


def with_children(
    stream: AmazonStream,
    children: Sequence[ChildSync],
    rows: Sequence[Row],
    unchanged: Sequence[Row] = (),
    *,
    since: datetime | None = None,
) -> Iterator[Record]:
    """Yield a page of a parent's records; once they are written, have the children write theirs.

    Args:
        stream: The parent.
        children: The syncs of its children.
        rows: The rows to emit.
        unchanged: Rows that are not emitted, for the children that want them.
        since: A row that changed before came in an earlier sync; None if all are new.
    """
    copy = any(child.child.takes_rows for child in children)
    records = [stream.record(row, copy=copy) for row in rows]
    # Writing a record may remove fields from it, so the children's part is taken first.
    pages = [
        (
            child,
            child.take(
                stream,
                rows,
                records,
                [row for row in unchanged if child.child.wants_unchanged(row)],
            ),
        )
        for child in children
    ]
    yield from records
    for child, parents in pages:
        child.add(parents, since)
