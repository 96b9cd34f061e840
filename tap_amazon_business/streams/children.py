"""Child streams, synced a page of parents at a time.

The SDK syncs a child once per parent record, each time with a SCHEMA message, log lines and
metrics: two thousand parents took 105 seconds that way, and under three this way.
"""

from __future__ import annotations

import abc
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.base import AmazonStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.metrics import Counter

    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.sync.bookmark import Coverage

    # Makes records of a page of parents.
    Reader = Callable[[Sequence[Row]], Iterator[Record]]


class ChildStream(AmazonStream, abc.ABC):
    """A stream whose records belong to the records of a parent stream.

    Attributes:
        parent_fields: The fields of a parent that its children are made of.
    """

    parent_fields: ClassVar[tuple[str, ...]]

    # ---- what a parent asks --------------------------------------------------------------------

    @property
    def lookback(self) -> timedelta:
        """Return how far behind the bookmark the child wants to see its parents again."""
        return timedelta()

    @property
    def covers(self) -> Coverage:
        """Return what the parent's bookmark has to cover for the child."""
        return {}

    def wants_unchanged(self, parent: Row, until: datetime) -> bool:
        """Tell whether a sync that reads until then wants a parent that did not change."""
        del parent, until
        return False

    def require_parent_fields(self, parent: str, schema: Mapping[str, Any]) -> None:
        """Check that the parent's schema in the catalog has the fields that children are made of.

        Raises:
            TapError: It does not. The fields may be deselected, but not removed.
        """
        if lacking := [name for name in self.parent_fields if name not in schema["properties"]]:
            raise TapError(
                f"The catalog's schema of {parent} lacks {', '.join(lacking)}, which {self.name} "
                "is made of: create the catalog again with --discover, and deselect fields by "
                "their metadata"
            )

    # ---- a sync --------------------------------------------------------------------------------

    def reader(self) -> AbstractContextManager[Reader]:
        """Return what makes records of a page of parents; it lives for one sync."""
        return nullcontext(self.children)

    def children(self, parents: Sequence[Row]) -> Iterator[Record]:
        """Yield the records of a page of parents, of which each holds the parent fields."""
        raise NotImplementedError

    @contextmanager
    def syncing(self) -> Iterator[ChildSync]:
        """Announce the stream once, and count its records while its parent is read."""
        self.announce()
        with self.get_record_counter() as counter, self.get_sync_timer(), self.reader() as reader:
            sync = ChildSync(self, reader, counter)
            yield sync
            if self.postponed:
                self.fail(self.postponed)
            self.info("%d records", sync.total)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        # Only a parent has pages; the SDK never calls this for a child.
        return ()


class ChildSync:
    """One sync of a child stream.

    Attributes:
        stream: The child stream.
        total: How many records were written so far.
    """

    def __init__(self, stream: ChildStream, reader: Reader, counter: Counter) -> None:
        self.stream = stream
        self.total = 0
        self._reader = reader
        self._counter = counter

    def add(self, parents: Sequence[Row]) -> None:
        """Write the records of a page of parents; a failure ends the child's sync."""
        if self.stream.failed or not parents:
            return
        try:
            self.stream.write(self._counted(self._reader(parents)))
        except TapError as error:
            self.stream.fail(error)

    def _counted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.total += 1
            self._counter.increment()
            yield record


def with_children(
    stream: AmazonStream,
    children: Sequence[ChildSync],
    records: Sequence[Record],
    unchanged: Sequence[tuple[Record, Sequence[ChildSync]]] = (),
) -> Iterator[Record]:
    """Yield a page of a parent's records; once they are written, have the children write theirs.

    Args:
        stream: The parent.
        children: The syncs of its children.
        records: The parent's records.
        unchanged: Records that are not emitted, with the children that want them.
    """
    # Writing a record may remove fields from it, so the children's part is taken first.
    pages: list[tuple[ChildSync, list[Row]]] = []
    for child in children:
        again = (record for record, wanting in unchanged if child in wanting)
        pages.append(
            (
                child,
                [
                    {name: record.get(name) for name in child.stream.parent_fields}
                    for record in (*records, *again)
                    if stream.passes_filter(record)
                ],
            )
        )
    yield from records
    for child, parents in pages:
        child.add(parents)
