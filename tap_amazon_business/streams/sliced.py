"""Streams that are read window by window: windows, pages, comparison, records, bookmark."""

from __future__ import annotations

import abc
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.api.sandbox import example_rows
from tap_amazon_business.errors import PageTokenRefusedError, TapError
from tap_amazon_business.records.lazy_rows import FieldReader, json_of
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.children import with_children
from tap_amazon_business.streams.probes import listed
from tap_amazon_business.sync.bookmark import (
    bookmark_state,
    fingerprint,
    resume_point,
)
from tap_amazon_business.sync.checksums import (
    DAY,
    HOUR,
    BucketRows,
    Checksums,
    checksum,
    floor,
    row_hasher,
)
from tap_amazon_business.sync.lookback import Lookback, due
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.sync.windows import Slice, Slicer, plan
from tap_amazon_business.times import moment_of, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.api.operations import Operation
    from tap_amazon_business.records.lazy_rows import Rows
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.children import Child, ChildSync, ListedRow
    from tap_amazon_business.streams.probes import Probe
    from tap_amazon_business.streams.queries import Query
    from tap_amazon_business.sync.bookmark import Coverage, ResumePoint
    from tap_amazon_business.sync.checksums import Grid
    from tap_amazon_business.sync.windows import Span, Window

# How often to halve a window whose page tokens are refused: shorter lists have younger tokens.
_SPLITS = 3

# Rows that are written together with what children make of them.
_CHUNK = 100

# Clocks differ, and what changes may be listed with a delay.
_SLACK = timedelta(hours=1)

# Lists hold a row outside of their window now and then; more than so many mean something.
_STRAY_ROWS = 10

_HOUR_DIGITS = len("2026-06-01T00")
_MOST_HOURS = 50_000  # hours of which the text is remembered


@dataclass(frozen=True)
class Plan:
    """What one sync of a stream does, decided once.

    Attributes:
        now: The time of day when it began.
        resume: Where it resumes.
        span: What it reads.
        children: The streams that are built from its rows.
        covers: What its bookmark covers.
        since: Where the first sync began, if that is known.
        checksums: What was read before; the sync updates them.
        salt: What shapes the records of the stream and of its children.
    """

    now: datetime
    resume: ResumePoint
    span: Span
    children: Sequence[Child]
    covers: Coverage
    since: datetime | None
    checksums: Checksums
    salt: str


class SlicedStream(AmazonStream):
    """A stream that an operation lists by date.

    The bookmark is the end of the last finished slice. Every sync reads the recent days before it
    again, and a share of the lookback, and writes the days and hours whose checksum differs.

    Attributes:
        operation: The operation.
        examples: The operations whose examples it emits in the sandbox, if not the operation alone.
        has_children: Whether other streams are built from its rows.
        pages_per_slice: How many pages a slice should hold.
        widest_window: The widest window to list at a time: a backfill resumes at its end.
        widest_lookback_window: The same in the lookback. Rows whose date is missing, or lies
            elsewhere, can only be compared in windows of one day.
        overlap: How far behind the bookmark every sync begins at least.
        margin: How close to now the operation may be asked.
    """

    operation: ClassVar[Operation]
    examples: ClassVar[tuple[Operation, ...]] = ()
    has_children: ClassVar[bool] = False
    pages_per_slice: ClassVar[int] = 4
    widest_window: ClassVar[timedelta] = timedelta.max
    widest_lookback_window: ClassVar[timedelta] = timedelta.max
    overlap: ClassVar[timedelta] = timedelta(hours=1)
    margin: ClassVar[timedelta] = timedelta(minutes=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._advanced: tuple[datetime | None, datetime] | None = None

    @property
    @abc.abstractmethod
    def lookback(self) -> timedelta:
        """Return how far back rows are read again to find later changes."""

    @abc.abstractmethod
    def queries(self) -> Sequence[Query]:
        """Return the queries whose rows make up a window."""

    @property
    @abc.abstractmethod
    def covers(self) -> Coverage:
        """Return what the stream reads, in parts that may grow: what comes later has no past."""

    @property
    def children(self) -> list[Child]:
        """Return the selected children, in the order in which they are synced."""
        streams = [s for s in self._tap.streams.values() if isinstance(s, AmazonStream)]
        children = (stream.child_of(self) for stream in streams if stream.selected)
        return sorted(filter(None, children), key=lambda child: child.follows_siblings)

    @override
    def probes(self) -> list[Probe]:
        return listed(self.operation, self.queries(), self.clock.now())

    @property
    @override
    def is_due(self) -> bool:
        return self.selected or bool(self.children)

    @override
    def done(self) -> None:
        for child in self.children:
            child.parent_ended(self.error)

    @override
    def prepare(self) -> None:
        with suppress(TapError):  # it comes again when the stream is synced
            self.client.sign_in()  # the reply holds the time of day, which decides what to read
            _ = self.plan

    @cached_property
    def plan(self) -> Plan:
        """Return what the sync does.

        Raises:
            TapError: The state is damaged.
        """
        now, children, start = self.clock.now(), self.children, self.settings.start_date
        covers = self._coverage(children)
        oldest = now - self.operation.reach
        resume = resume_point(
            self.stream_state if self.replication_method == "INCREMENTAL" else {},
            stream=self.name,
            replication_key=self.replication_key,
            covers=covers,
            since=max(start or oldest, oldest),
            now=now,
        )
        span = plan(
            now=now,
            margin=self.margin,
            reach=self.operation.reach,
            start=start,
            end=self.settings.end_date,
            bookmark=resume.moment,
            recent=self.rolling.recent,
            shares=due(self.rolling, position=resume.position, now=now) if resume.position else (),
        )
        return Plan(
            now,
            resume,
            span,
            children,
            covers,
            since=resume.since if resume.moment else span.since,
            checksums=Checksums.decode(resume.checksums, span.grid),
            salt="".join([self.shape, *(child.stream.shape for child in children)]),
        )

    @property
    def rolling(self) -> Lookback:
        """Return the rolling lookback."""
        recent = max(timedelta(days=self.settings.recent_days), self.overlap)
        cycle = timedelta(hours=self.settings.lookback_cycle_hours)
        return Lookback(self.lookback, recent, cycle)

    def _coverage(self, children: Sequence[Child]) -> Coverage:
        covers: Coverage = {"host": fingerprint(self.client.url), **self.covers}
        if self.has_children:
            names = [child.stream.name for child in children]
            covers["streams"] = sorted([*names, self.name] if self.selected else names)
        for child in children:
            covers |= child.covers
        return covers

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        self.client.sign_in()
        with ExitStack() as stack:
            children = [
                stack.enter_context(child.syncing(self.progress)) for child in self.plan.children
            ]
            if self.settings.sandbox:
                rows = example_rows(self.client, self.examples or (self.operation,))
                yield from SlicedSync(self, children).emit(self.valid_rows(rows))
            else:
                yield from self.sync_records(children)
                self._finish_children(children)

    def _finish_children(self, children: Sequence[ChildSync]) -> None:
        for child in children:
            child.finish()
        if self._advanced and not any(child.failed for child in children):
            self.advance_bookmark(*self._advanced)

    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        """Yield the records of one sync, and pass their rows on to the children."""
        if self.anything_to_read():
            yield from SlicedSync(self, children).records()

    def anything_to_read(self) -> bool:
        """Log what the sync is going to read; return whether there is anything."""
        resume, span = self.plan.resume, self.plan.span
        if resume.not_covered:
            self.warn(
                "the bookmark does not cover %s; reading everything again",
                ", ".join(resume.not_covered),
            )
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
                "nothing to read: start %s is not before end %s",
                rfc3339(span.since),
                rfc3339(span.until),
            )
            return False
        # The summary shows the bookmarks.
        self.debug("reading %s to %s", rfc3339(span.since), rfc3339(span.until))
        for share in span.shares:
            self.debug("reading again %s", share.window)
        return True

    def advance_bookmark(self, end: datetime | None, position: datetime) -> None:
        """Write a bookmark, and those of children that have one of their own.

        Args:
            end: The end of the last finished slice.
            position: The position in the lookback.
        """
        plan, bookmarks = self.plan, {}
        self._advanced = end, position
        if self.replication_method == "INCREMENTAL" and end:
            bookmarks[self.name] = bookmark_state(
                self.replication_key,
                end,
                position=position,
                checksums=plan.checksums.encode(
                    since=floor(self.rolling.begin(plan.now), DAY),
                    hours_from=max(
                        floor(end - self.rolling.recent, HOUR), plan.span.grid.hours_from
                    ),
                ),
                covers=plan.covers,
                since=plan.since,
            )
        for child in plan.children:
            if bookmark := child.bookmark(end, position):
                bookmarks[child.stream.name] = bookmark
        if bookmarks:
            self.write_bookmark(bookmarks)


@dataclass(frozen=True)
class _Task:
    """A query of a window of a slice; `last` if the slice needs no other one after it."""

    slice: Slice
    window: Window
    query: Query
    last: bool


@dataclass(frozen=True)
class _Page:
    """A page of rows, read but not decoded.

    Attributes:
        rows: The rows.
        listed: Of each row that counts: its number, its hash, and the bucket of its own date. The
            bucket is None if it has no date, or one outside of the window asked for.
        by_change: Whether the rows were listed by change.
    """

    rows: Rows
    listed: Sequence[tuple[int, int, datetime | None]]
    by_change: bool


class SlicedSync:
    """One sync of a sliced stream.

    Args:
        stream: The stream.
        children: The syncs of its children.
        named: Keys of rows that are looked for: those that are listed are removed.
    """

    def __init__(
        self,
        stream: SlicedStream,
        children: Sequence[ChildSync],
        *,
        named: set[str] | None = None,
    ) -> None:
        self._stream = stream
        self._children = children
        self._plan = stream.plan
        self._queries = stream.queries()
        self._bookmark = self._plan.resume.moment
        self._checksums = self._plan.checksums
        operation = stream.operation
        self._slicer = Slicer(
            self._plan.span,
            widest=min(operation.longest_range, stream.widest_window),
            widest_lookback=min(operation.longest_range, stream.widest_lookback_window),
            rows=stream.pages_per_slice * operation.page_size,
            is_first=self._bookmark is None,
            is_known=lambda bucket: bucket in self._checksums.known,
        )
        self._hash = row_hasher(self._plan.salt)
        self._lister = _Lister(stream, self._plan.span.grid, self._hash, named)
        self._rows = BucketRows()
        self._emitted = Seen()
        self._pending: dict[datetime, int] = {}  # checksums of the slice that is being written
        self._stored: set[datetime] = set()  # buckets whose checksum this sync has stored
        self._done = 0.0
        self._warned_of_failure = False

    def records(self) -> Iterator[Record]:
        """Yield the records; the bookmark moves with every finished slice."""
        stream, pages = self._stream, list[_Page]()
        with stream.budget.read(self._tasks(), self._read) as prefetch:
            for task, found in prefetch:
                pages += found
                if task.last:
                    yield from self._slice(task.slice, pages)
                    pages.clear()
                    self._finish(task.slice)
        self._lister.warn(stream)

    def emit(self, rows: Iterable[Row]) -> Iterator[Record]:
        """Yield the records of rows that were not listed, each once."""
        new = [(row, None, True) for row in rows if self._emitted.add(self._hash(json_of(row)))]
        yield from with_children(self._stream, self._children, new)

    def _tasks(self) -> Iterator[_Task]:
        for part in self._slicer:
            windows = [
                (query, window)
                for query in self._queries
                if (window := part.changes if query.by_change else part.window)
            ]
            for number, (query, window) in enumerate(windows, start=1):
                self._slicer.begin()
                yield _Task(part, window, query, last=number == len(windows))

    def _read(self, task: _Task) -> list[_Page]:
        """Read all pages of a query, and let later slices be cut by what they hold."""
        pages: list[_Page] = []
        try:
            self._collect(pages, task, task.window, _SPLITS)
        finally:
            self._slicer.end()
        return pages

    def _collect(self, pages: list[_Page], task: _Task, window: Window, splits: int) -> None:
        """Add the pages of a window; of its halves, if Amazon keeps refusing its page tokens."""
        query, found = task.query, 0
        try:
            for rows in self._stream.client.pages(query.request(self._stream.operation, window)):
                page, inside = self._lister.page(rows, query, window)
                pages.append(page)
                found += inside
                self._slicer.observe(query.subject, window, found, complete=False)
            self._slicer.observe(query.subject, window, found, complete=True)
        except PageTokenRefusedError:
            if not splits:
                raise
            for half in window.halves():
                self._collect(pages, task, half, splits - 1)

    # ---- comparison ----------------------------------------------------------------------------

    def _slice(self, part: Slice, pages: Sequence[_Page]) -> Iterator[Record]:
        """Yield the records of a slice; once they are written, have the children write theirs."""
        unchanged = self._compare(part.window, pages)
        first = self._plan.span.grid.bucket(part.window.start)
        chunk: list[ListedRow] = []
        for page in pages:
            for number, row_hash, bucket in page.listed:
                changed = page.by_change or bucket not in unchanged
                where = bucket or first
                if changed:
                    if not self._emitted.add(row_hash):
                        continue
                    if page.by_change and bucket:
                        # Another version than the bucket's own: which one is newer is unknown.
                        self._pending.pop(bucket, None)
                        if bucket in self._stored:
                            self._checksums.known.pop(bucket, None)
                elif not any(child.wants_unchanged(where) for child in self._children):
                    continue
                chunk.append((page.rows[number], where, changed))
                if len(chunk) == _CHUNK:
                    yield from self._chunk(chunk)
                    chunk.clear()
        yield from self._chunk(chunk)

    def _chunk(self, chunk: Sequence[ListedRow]) -> Iterator[Record]:
        valid = [
            (row, where, changed)
            for listed_row, where, changed in chunk
            for row in self._stream.valid_rows([listed_row])
        ]
        yield from with_children(self._stream, self._children, valid)

    def _compare(self, window: Window, pages: Sequence[_Page]) -> set[datetime | None]:
        """Return the buckets of a window whose rows are those of the last reading.

        Rows without a bucket of their own (None) are compared where the window is one bucket, and
        written always where it is more.
        """
        grid = self._plan.span.grid
        unplaced: set[int] = set()
        for page in pages:
            if page.by_change:
                continue
            for _, row_hash, bucket in page.listed:
                if bucket is None:
                    unplaced.add(row_hash)
                else:
                    self._rows.add(bucket, row_hash)
        unchanged: set[datetime | None] = set()
        bucket = grid.bucket(window.start)
        single = grid.end(bucket) >= window.end
        while bucket < window.end:
            end = grid.end(bucket)
            if end <= window.end or window.end == self._plan.span.until:
                placed = self._rows.take(bucket)
                sums = [checksum(placed | unplaced) if single else checksum(placed)]
                known = self._checksums.known.get(bucket)
                if known == sums[0]:
                    unchanged |= {bucket, None} if single else {bucket}
                elif known is not None and known == checksum(placed):
                    unchanged.add(bucket)
                self._pending[bucket] = sums[0]
            bucket = end
        return unchanged

    # ---- bookmark ------------------------------------------------------------------------------

    def _finish(self, part: Slice) -> None:
        """Move the bookmark to the end of a slice whose records, and children, are written."""
        self._done += part.window.seconds
        self._stream.progress.advance(self._done / self._plan.span.seconds)
        # If a child failed, the parents whose children are missing have to come again.
        if failed := [child.child.stream.name for child in self._children if child.failed]:
            if not self._warned_of_failure:
                self._warned_of_failure = True
                self._stream.warn(
                    "%s failed: bookmark not advanced; the next sync retries", ", ".join(failed)
                )
            return
        self._checksums.known.update(self._pending)
        self._stored.update(self._pending)
        self._pending.clear()
        if not part.reread:
            self._bookmark = max(part.window.end, self._bookmark or part.window.end)
        # What is new comes after all of the lookback that was due.
        self._stream.advance_bookmark(self._bookmark, part.position or self._plan.now)


class _Lister:
    """Hashes the rows of pages, and finds the bucket of each without decoding it.

    Args:
        stream: The stream.
        grid: The buckets.
        row_hash: Hashes a row.
        named: Keys of rows that are looked for: those that are listed are removed.
    """

    def __init__(
        self,
        stream: SlicedStream,
        grid: Grid,
        row_hash: Callable[[Any], int],
        named: set[str] | None,
    ) -> None:
        self._grid = grid
        self._hash = row_hash
        self._named = named
        queries = stream.queries()
        created = next(query.date for query in queries if not query.by_change)
        self._read = {
            query.date: FieldReader(query.date, created, tuple(stream.keys[:1]))
            for query in queries
        }
        self._hours: dict[str, datetime] = {}
        self._buckets: dict[datetime, datetime] = {}
        self._inside = self._ignored = 0

    def page(self, rows: Rows, query: Query, window: Window) -> tuple[_Page, int]:
        """Return a page of a window, and how many of its rows are dated in the window."""
        listed: list[tuple[int, int, datetime | None]] = []
        first, last = floor(window.start, HOUR), window.end
        if query.by_change:
            first, last = first - _SLACK, last + _SLACK
        read, outside = self._read[query.date], 0
        for number, row in enumerate(rows.json()):
            date, created, key = read(row)
            if self._named:
                self._named.discard(str(key))
            hour = self._hour(date)
            if hour and not first <= hour < last:
                outside += 1
                if query.by_change:
                    continue  # Amazon ignores the filter: it is no change
                hour = None
            elif query.by_change:
                hour = self._hour(created)
            listed.append((number, self._hash(row), self._bucket(hour)))
        if query.by_change:
            self._inside += len(listed)
            self._ignored += outside
        return _Page(rows, listed, query.by_change), len(rows) - outside

    def warn(self, stream: SlicedStream) -> None:
        """Warn if most rows lay outside of the window of changes that was asked for."""
        if self._ignored > max(self._inside, _STRAY_ROWS):
            stream.warn(
                "%s ignores the dates of changes that it is asked for: skipped %d rows with other "
                "dates. The lookback compares all rows, so changes arrive within %d hours.",
                stream.operation.name,
                self._ignored,
                stream.settings.lookback_cycle_hours,
            )

    def _hour(self, date: object) -> datetime | None:
        if isinstance(date, dict):
            date = date.get("date")
        if not isinstance(date, str):
            return None
        # Most dates are in UTC: then the hour is in their first characters.
        text = date[:_HOUR_DIGITS] if date.endswith("Z") else date
        hour = self._hours.get(text)
        if hour is None and (moment := moment_of(date)):
            hour = floor(moment, HOUR)
            if len(self._hours) < _MOST_HOURS:
                self._hours[text] = hour
        return hour

    def _bucket(self, hour: datetime | None) -> datetime | None:
        if hour is None:
            return None
        bucket = self._buckets.get(hour)
        if bucket is None:
            bucket = self._buckets[hour] = self._grid.bucket(hour)
        return bucket
