"""Streams that are read window by window: windows, pages, records, bookmark."""

from __future__ import annotations

import abc
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.errors import PageTokenRefusedError
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.children import ChildStream, with_children
from tap_amazon_business.sync.bookmark import bookmark_state, resume_point
from tap_amazon_business.sync.prefetch import Pages, Prefetch
from tap_amazon_business.sync.windows import Slicer, plan
from tap_amazon_business.times import is_before, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.api.operations import Operation
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.children import ChildSync
    from tap_amazon_business.streams.query import Query
    from tap_amazon_business.sync.bookmark import Coverage, ResumePoint
    from tap_amazon_business.sync.windows import Slice, Span, Window

# Slices are cut to hold about this many pages.
_PAGES_PER_SLICE = 4

# How often to halve a window whose page tokens are refused: shorter lists have younger tokens.
_SPLITS = 3


@dataclass(frozen=True)
class _Task:
    """A query of a slice; `last` if the slice needs no other one after it."""

    slice: Slice
    query: Query
    last: bool


class SlicedStream(AmazonStream):
    """A stream that an operation lists by date.

    The bookmark is the end of the last finished slice. Rows of a window that was read before are
    emitted if they changed, or all of them if nothing tells.

    Attributes:
        operation: The operation.
        changed_date: The field that tells when a row changed last, None if there is none.
        widest_window: The widest window to list at once: a backfill resumes at its end.
        overlap: How far behind the bookmark new rows are expected: they may appear late.
        margin: How close to now the operation may be asked.
    """

    operation: ClassVar[Operation]
    changed_date: ClassVar[str | None] = None
    widest_window: ClassVar[timedelta] = timedelta.max
    overlap: ClassVar[timedelta] = timedelta(hours=1)
    margin: ClassVar[timedelta] = timedelta(minutes=2)

    @property
    @abc.abstractmethod
    def lookback(self) -> timedelta:
        """Return how far behind the bookmark rows are read again to find later changes."""

    @abc.abstractmethod
    def queries(self) -> Sequence[Query]:
        """Return the queries whose rows make up a window."""

    @property
    def covers(self) -> Coverage:
        """Return what the stream reads, in parts that may grow: what comes later has no past."""
        return {}

    @property
    def selected_children(self) -> list[ChildStream]:
        """Return the child streams that a sync of this one syncs, too."""
        return [
            child
            for child in self.child_streams
            if isinstance(child, ChildStream) and child.selected
        ]

    def resume_point(self) -> ResumePoint:
        """Return where the state lets a sync resume."""
        return resume_point(
            self.stream_state if self.replication_method == "INCREMENTAL" else {},
            stream=self.name,
            replication_key=self.replication_key,
            covers=self._coverage,
            now=self.clock.now(),
        )

    @property
    def _coverage(self) -> Coverage:
        children = self.selected_children
        if not self.child_streams:
            return self.covers
        covers: Coverage = {**self.covers, "children": sorted(child.name for child in children)}
        for child in children:
            covers |= child.covers
        return covers

    def span(self, bookmark: datetime | None) -> Span:
        """Return what a sync reads."""
        lookback = max([self.lookback, *(child.lookback for child in self.selected_children)])
        return plan(
            now=self.clock.now(),
            margin=self.margin,
            reach=self.operation.reach,
            start=self.settings.start_date,
            end=self.settings.end_date,
            bookmark=bookmark,
            overlap=self.overlap,
            lookback=lookback,
        )

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        self.client.sign_in()  # it tells the time of day, which decides what to read
        for child in self.selected_children:
            child.require_parent_fields(self.name, self.effective_schema)
        with ExitStack() as stack:
            children = [stack.enter_context(child.syncing()) for child in self.selected_children]
            yield from self.sync_records(children)

    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        """Yield the records of one sync, and pass them on to the children."""
        resume = self.resume_point()
        if resume.not_covered:
            self.warn(
                "the bookmark does not cover %s; reading everything again",
                ", ".join(resume.not_covered),
            )
        span = self.span(resume.moment)
        if span.unreadable:
            self.warn(
                "%s reaches back only %d days: reading from %s instead of %s",
                self.operation.name,
                self.operation.reach.days,
                rfc3339(span.since),
                rfc3339(span.unreadable),
            )
        if span.since >= span.until:
            end = self.settings.end_date
            if end and resume.moment and end <= resume.moment:
                self.warn(
                    "end_date %s is not after the bookmark %s, so there is nothing to read. For a "
                    "backfill, use a state of its own (meltano run --state-id-suffix) or no state "
                    "(--full-refresh).",
                    rfc3339(end),
                    rfc3339(resume.moment),
                )
            self.info(
                "nothing to read: %s is not before %s", rfc3339(span.since), rfc3339(span.until)
            )
            return
        self.info("reading %s to %s", rfc3339(span.reread_from), rfc3339(span.until))
        yield from SlicedSync(self, children, span, resume.moment).records()

    def advance_bookmark(self, end: datetime) -> None:
        """Write a bookmark."""
        self.write_bookmark(bookmark_state(self.replication_key, end, self._coverage))


class SlicedSync:
    """One sync of a sliced stream.

    Args:
        stream: The stream.
        children: The syncs of its children.
        span: What to read.
        bookmark: Where the sync resumed, None if it began at the start.
    """

    def __init__(
        self,
        stream: SlicedStream,
        children: Sequence[ChildSync],
        span: Span,
        bookmark: datetime | None,
    ) -> None:
        self._stream = stream
        self._children = children
        self._span = span
        self._bookmark = bookmark
        self._queries = stream.queries()
        self._slicer = Slicer(
            span,
            widest=min(stream.operation.longest_range, stream.widest_window),
            rows=_PAGES_PER_SLICE * stream.operation.page_size,
        )
        self._emitted: set[tuple[Any, ...]] = set()
        self._unchanged: set[tuple[Any, ...]] = set()
        self._warned_of_failure = False

    def records(self) -> Iterator[Record]:
        """Yield the records; the bookmark moves with every finished slice."""
        workers = self._stream.settings.max_parallel_requests
        with Prefetch(self._tasks(), self._read, workers=workers) as prefetch:
            for task, pages in prefetch:
                for page in pages:
                    yield from self._page(page, task.slice)
                if task.last:
                    self._finish(task.slice)

    def _tasks(self) -> Iterator[_Task]:
        for part in self._slicer:
            queries = [query for query in self._queries if query.rereads or not part.reread]
            for query in queries:
                yield _Task(part, query, last=query is queries[-1])

    def _read(self, task: _Task) -> Pages:
        """Read all pages of a query, and let later slices be cut by what they hold."""
        pages = Pages()
        self._collect(pages, task.query, task.slice.window, _SPLITS)
        return pages

    def _collect(self, pages: Pages, query: Query, window: Window, splits: int) -> None:
        """Add the pages of a window; of its halves, if Amazon keeps refusing its page tokens."""
        found = 0
        try:
            for rows in self._stream.client.pages(query.request(self._stream.operation, window)):
                pages.add(rows)
                found += len(rows)
                self._slicer.observe(query.subject, window, found)
        except PageTokenRefusedError:
            if not splits:
                raise
            for half in window.halves():
                self._collect(pages, query, half, splits - 1)

    def _page(self, page: list[Any], part: Slice) -> Iterator[Record]:
        """Yield the records of a page; once they are written, have the children write theirs."""
        rows = list(self._stream.valid_rows(page))
        emitted = list(self._new_or_changed(rows, part))
        unchanged = list(self._wanted_unchanged(rows)) if part.reread else []
        yield from with_children(self._stream, self._children, emitted, unchanged)

    def _new_or_changed(self, rows: list[Row], part: Slice) -> Iterator[Record]:
        """Yield the records that this sync has not emitted yet and, read again, that changed."""
        changed_date = self._stream.changed_date
        for row in rows:
            key = self._key(row)
            if key in self._emitted:
                continue
            if part.reread and changed_date and is_before(row.get(changed_date), self._span.since):
                continue
            self._emitted.add(key)
            yield self._stream.record(row)

    def _wanted_unchanged(self, rows: list[Row]) -> Iterator[tuple[Record, list[ChildSync]]]:
        """Yield the records that did not change, each once, with the children that want them."""
        for row in rows:
            key = self._key(row)
            if key in self._emitted or key in self._unchanged:
                continue
            wanting = [
                child
                for child in self._children
                if child.stream.wants_unchanged(row, self._span.until)
            ]
            if wanting:
                self._unchanged.add(key)
                yield self._stream.record(row), wanting

    def _key(self, row: Row) -> tuple[str, ...]:
        return tuple(str(row[key]) for key in self._stream.keys)

    def _finish(self, part: Slice) -> None:
        """Move the bookmark to the end of a slice whose records, and children, are written."""
        if part.reread or self._stream.replication_method != "INCREMENTAL":
            return
        # If a child failed, the parents whose children are missing have to come again.
        streams = [child.stream for child in self._children]
        if failed := [child.name for child in streams if child.failed or child.postponed]:
            if not self._warned_of_failure:
                self._warned_of_failure = True
                self._stream.warn(
                    "%s failed, so the bookmark stays put and the next sync retries",
                    ", ".join(failed),
                )
            return
        end = part.window.end
        if self._bookmark is None or end > self._bookmark:
            self._bookmark = end
            self._stream.advance_bookmark(end)
