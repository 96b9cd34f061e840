"""One sync of a stream that is read window by window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_amazon_business.errors import PageTokenRefusedError
from tap_amazon_business.streams.children import with_children
from tap_amazon_business.sync.course import SpanCourse
from tap_amazon_business.sync.prefetch import Pages
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.sync.windows import Slice, Slicer, Window
from tap_amazon_business.times import is_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.api.operations import Operation
    from tap_amazon_business.rows import Rows
    from tap_amazon_business.streams.base import AmazonStream, Row
    from tap_amazon_business.streams.children import ChildSync
    from tap_amazon_business.streams.query import Query
    from tap_amazon_business.sync.bookmark import ResumePoint
    from tap_amazon_business.sync.windows import Span

# How often to halve a window whose page tokens are refused: shorter lists have younger tokens.
_SPLITS = 3

# Clocks differ, and what changes may be listed with a delay.
SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class _Task:
    """A query of a slice; `last` if the slice needs no other one after it."""

    slice: Slice
    query: Query
    last: bool


@dataclass(frozen=True)
class Plan:
    """What one sync of a stream does, decided once.

    Attributes:
        now: The time of day when it began.
        resume: Where it resumes.
        span: What it reads.
    """

    now: datetime
    resume: ResumePoint
    span: Span


@dataclass(frozen=True)
class Reading:
    """What a sync needs of its stream.

    Attributes:
        operation: The operation.
        queries: The queries whose rows make up a window.
        pages_per_slice: How many pages a slice should hold.
        widest_window: The widest window to list at once.
        plan: What the sync does.
        changed_date: The field that tells when a row changed last, None if nothing tells.
        unchanged_since: A row of the lookback that changed before is known.
        advance: Writes a bookmark, with the position in the lookback and what it keeps besides.
    """

    operation: Operation
    queries: Sequence[Query]
    pages_per_slice: int
    widest_window: timedelta
    plan: Plan
    changed_date: str | None
    unchanged_since: datetime
    advance: Callable[[datetime, datetime, Mapping[str, Any]], None]


class SlicedSync:
    """One sync of a sliced stream.

    Args:
        stream: The stream.
        reading: What to read.
        children: The syncs of its children.
        more: What the bookmark keeps besides.

    Attributes:
        slicer: Cuts the windows; it knows how dense they are.
        pages: How many pages were read so far.
    """

    def __init__(
        self,
        stream: AmazonStream,
        reading: Reading,
        children: Sequence[ChildSync],
        more: Mapping[str, Any],
    ) -> None:
        self._stream = stream
        self._reading = reading
        self._children = children
        self._more = more
        self._bookmark = reading.plan.resume.moment
        self._position = reading.plan.resume.position or reading.plan.now
        operation = reading.operation
        self.slicer = Slicer(
            reading.plan.span,
            widest=min(operation.longest_range, reading.widest_window),
            rows=reading.pages_per_slice * operation.page_size,
        )
        self.pages = 0
        self._course = SpanCourse(
            reading.plan.span,
            {query.subject: query.rereads for query in reading.queries},
            stream.clock,
        )
        self._emitted = Seen()
        self._unchanged = Seen()
        self._warned_of_failure = False

    def records(self) -> Iterator[Record]:
        """Yield the records; the bookmark moves with every finished slice."""
        self._stream.track.follow(self._course)
        with self._stream.readers.read(self._tasks(), self._read) as prefetch:
            for task, pages in self._course.awaited(prefetch):
                for page in pages:
                    self.pages += 1
                    self._course.begin_page(len(page))
                    yield from self._page(page, task.slice)
                if task.last:
                    self._course.finish(task.slice)
                    self._finish(task.slice)

    def emit(self, rows: Iterable[Row], since: datetime | None = None) -> Iterator[Record]:
        """Yield the records of the rows that this sync has not emitted yet.

        Args:
            rows: The rows.
            since: One that changed before came in an earlier sync; None if all are new.
        """
        new = [row for row in rows if self._emitted.add(self._key(row))]
        yield from with_children(self._stream, self._children, new, since=since)

    def has_emitted(self, *key: str) -> bool:
        """Tell whether the row of a key was emitted."""
        return key in self._emitted

    @property
    def complete(self) -> bool:
        """Whether no child failed so far."""
        return not self._failed_children

    def skip_to(self, end: datetime) -> None:
        """Move the bookmark to a moment up to which everything came in another way."""
        self._finish(Slice(Window(self._reading.plan.span.since, end)))

    def keep(self, more: Mapping[str, Any]) -> None:
        """Have the bookmark keep something else besides, and write it."""
        self._more = more
        if self._bookmark and self._stream.replication_method == "INCREMENTAL":
            self._reading.advance(self._bookmark, self._position, more)

    def _tasks(self) -> Iterator[_Task]:
        for part in self.slicer:
            queries = [query for query in self._reading.queries if query.rereads or not part.reread]
            for query in queries:
                yield _Task(part, query, last=query is queries[-1])

    def _read(self, task: _Task) -> Pages:
        """Read all pages of a query, and let later slices be cut by what they hold."""
        pages = Pages()
        self._collect(pages, task, task.slice.window, _SPLITS)
        self._course.complete(task.query.subject, task.slice.window)
        return pages

    def _collect(self, pages: Pages, task: _Task, window: Window, splits: int) -> None:
        """Add the pages of a window; of its halves, if Amazon keeps refusing its page tokens."""
        query, found = task.query, 0
        try:
            for rows in self._stream.client.pages(query.request(self._reading.operation, window)):
                pages.add(rows)
                self._course.read(query.subject, task.slice.window, len(rows))
                found += len(rows)
                self.slicer.observe(query.subject, window, found)
        except PageTokenRefusedError:
            if not splits:
                raise
            for half in window.halves():
                self._collect(pages, task, half, splits - 1)

    def _page(self, page: Rows, part: Slice) -> Iterator[Record]:
        """Yield the records of a page; once they are written, have the children write theirs."""
        rows = list(self._stream.valid_rows(page))
        emitted = list(self._new_or_changed(rows, part))
        unchanged = list(self._not_emitted(rows)) if part.reread else []
        resume = self._reading.plan.resume.moment
        known = resume - SLACK if resume else None
        yield from with_children(
            self._stream,
            self._children,
            emitted,
            unchanged,
            since=self._reading.unchanged_since if part.reread else known,
        )

    def _new_or_changed(self, rows: list[Row], part: Slice) -> Iterator[Row]:
        """Yield the rows that this sync has not emitted yet and, read again, that changed."""
        changed_date = self._reading.changed_date
        since = self._reading.unchanged_since
        for row in rows:
            if part.reread and changed_date and is_before(row.get(changed_date), since):
                continue
            if self._emitted.add(self._key(row)):
                yield row

    def _not_emitted(self, rows: list[Row]) -> Iterator[Row]:
        """Yield the rows that did not change, each once, for children that want them."""
        for row in rows:
            key = self._key(row)
            if key not in self._emitted and self._unchanged.add(key):
                yield row

    def _key(self, row: Row) -> tuple[str, ...]:
        return tuple(str(row[key]) for key in self._stream.keys)

    @property
    def _failed_children(self) -> list[str]:
        return [child.child.stream.name for child in self._children if child.failed]

    def _finish(self, part: Slice) -> None:
        """Move the bookmark to the end of a slice whose records, and children, are written."""
        if self._stream.replication_method != "INCREMENTAL":
            return
        # If a child failed, the parents whose children are missing have to come again.
        if failed := self._failed_children:
            if not self._warned_of_failure:
                self._warned_of_failure = True
                self._stream.warn(
                    "%s failed, so the bookmark stays put and the next sync retries",
                    ", ".join(failed),
                )
            return
        # What is new comes after all of the lookback that was due.
        self._position = part.position or self._reading.plan.now
        if not part.reread:
            self._bookmark = max(part.window.end, self._bookmark or part.window.end)
        if self._bookmark:
            self._reading.advance(self._bookmark, self._position, self._more)
