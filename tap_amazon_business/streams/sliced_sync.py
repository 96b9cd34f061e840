"""One sync of a sliced stream: pages, comparison, records, bookmark."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.types import Record

from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tap_amazon_business.records.decoding import FieldReader, Rows, json_of
from tap_amazon_business.streams.base import Row
from tap_amazon_business.streams.change_feed import STRAY_ROWS
from tap_amazon_business.streams.children import ListedRow, with_children
from tap_amazon_business.streams.queries import Query, within_a_cycle
from tap_amazon_business.sync.checksums import DAY, HOUR, Grid, checksum, floor, row_hasher
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.sync.windows import Slice, Slicer, Window
from tap_amazon_business.times import moment_of

if TYPE_CHECKING:
    from tap_amazon_business.streams.sliced import SlicedStream

    # A row's number on its page, its hash, and its bucket.
    _HashedRow = tuple[int, int, datetime | None]

# How often to halve a window whose page tokens are refused: shorter lists have younger tokens.
_SPLITS = 3

# Rows that are written together with what children make of them.
_CHUNK = 100

# Rows dated this far outside of a window still count as its changes: clocks differ, and Amazon may
# list a change late.
_SLACK = timedelta(hours=1)

# This close to the reach of an operation, a 400 skips a day instead of failing.
_REACH_TOLERANCE = timedelta(days=3)

# A larger row counts as several: memory is limited in bytes, not rows.
_BYTES_PER_ROW = 10_000

_HOUR_DIGITS = len("2026-06-01T00")
_MOST_HOURS = 50_000  # hours of which the text is remembered


@dataclass(frozen=True)
class _Task:
    """One query of a slice; `last` marks the final one.

    Attributes:
        place: Its place in the order of writing.
        seconds: How many seconds of the sync's span count as read once the query is read.
    """

    place: tuple[int, ...]
    slice: Slice
    window: Window
    query: Query
    seconds: float
    last: bool


@dataclass(frozen=True)
class _Page:
    """A page of rows, read but not decoded.

    Attributes:
        rows: The rows.
        listed: For each row that counts: its number, its hash, and the bucket of its creation date.
            In a list by creation, the bucket is None if the date is missing, or outside of the
            window.
        undated: The same of rows without the date that they are listed by, where that is a change.
        undated_keys: Their keys, while keys are looked for.
        by_change: Whether the rows were listed by change.
        inside: How many of its rows are dated in the window asked for.
        size: The bytes of these rows.
    """

    rows: Rows
    listed: list[_HashedRow]
    undated: list[_HashedRow]
    undated_keys: set[str]
    by_change: bool
    inside: int
    size: int


class SlicedSync:
    """One sync of a sliced stream.

    Args:
        stream: The stream.
        named: Keys that the change feed named. Each one that a list contains is removed from it.
    """

    def __init__(self, stream: SlicedStream, *, named: set[str] | None = None) -> None:
        self._stream = stream
        self._children = stream.children
        self._plan = stream.plan
        self._queries = stream.queries()
        self._bookmark = self._plan.resume.moment
        self._checksums = self._plan.checksums
        operation = stream.operation
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._recent: bool | None = None
        self._readable_from = self._plan.now - operation.reach + _REACH_TOLERANCE
        self._slicer = Slicer(
            self._plan.span,
            widest=min(operation.longest_range, stream.widest_window),
            rows=stream.pages_per_slice * operation.page_size,
            is_first=self._bookmark is None,
            is_known=lambda bucket: bucket in self._checksums.known,
        )
        if self._checksums.by_day:
            self._slicer.split_days()

        self._hash = row_hasher(self._plan.salt)
        self._named = named if named is not None else set()
        self._lister = _Lister(
            stream, self._plan.span.grid, self._hash, self._named, is_first=self._bookmark is None
        )
        self._rows: defaultdict[datetime, set[int]] = defaultdict(set)
        self._emitted = Seen()
        self._pending: dict[datetime, int] = {}  # checksums of the slice that is being written
        self._stored: set[datetime] = set()  # buckets whose checksum this sync has stored
        self._seconds_read = 0.0
        self._failed_at: tuple[float, ...] = (math.inf,)
        self._too_large: set[Slice] = set()
        self._warned_of_failure = False

    def records(self) -> Iterator[Record]:
        """Yield the records; the bookmark moves with every finished slice."""
        yield from self._records(self._slicer)
        self._lister.warn(self._stream)

    def _records(self, slices: Iterable[Slice], place: tuple[int, ...] = ()) -> Iterator[Record]:
        stream, pages, seconds = self._stream, list[_Page](), 0.0
        tasks = self._tasks(slices, place)
        with stream.budget.read(tasks, self._read, most=stream.most_windows) as prefetch:
            for task, found in prefetch:
                pages += found or ()
                seconds += task.seconds if found is not None else 0
                if not task.last:
                    continue
                if self._has_to_be_split(task.slice, pages):
                    pages.clear()
                    self._count(-seconds)
                    yield from self._records(self._slicer.split(task.slice), task.place)
                else:
                    yield from self._slice(task.slice, pages)
                    pages.clear()
                    self._finish(task.slice)
                seconds = 0.0

    def _has_to_be_split(self, part: Slice, pages: Sequence[_Page]) -> bool:
        """Return whether a slice has to be read again in narrower ones."""
        if part in self._too_large:
            return True
        # Rows without a date in the window can only be compared where it is a single day.
        if part.share and any(bucket is None for page in pages for _, _, bucket in page.listed):
            self._checksums.by_day = True
            self._slicer.split_days()
            grid = self._plan.span.grid
            return grid.end(grid.bucket(part.window.start)) < part.window.end
        return False

    def emit(self, rows: Iterable[Row]) -> Iterator[Record]:
        """Yield the records of rows that were not listed, each once."""
        new = [(row, None, True) for row in rows if self._emitted.add(self._hash(json_of(row)))]
        yield from with_children(self._stream, self._children, new)

    def _tasks(self, slices: Iterable[Slice], place: tuple[int, ...]) -> Iterator[_Task]:
        numbers = count()
        for part in slices:
            windows = [
                (query, window)
                for query in self._queries
                if (window := part.changes if query.by_change else part.window)
            ]
            for query, window in windows:
                self._slicer.begin()
                last = query is windows[-1][0]
                seconds = part.window.seconds / len(windows)
                yield _Task((*place, next(numbers)), part, window, query, seconds, last)

    def _read(self, task: _Task) -> list[_Page] | None:
        """Return all pages of a query, None if its slice has to be split."""
        pages: list[_Page] = []
        try:
            self._collect(pages, task, task.window, _SPLITS)
        except RequestFailedError:
            with self._lock:
                self._failed_at = min(self._failed_at, task.place)
            raise
        finally:
            self._slicer.end()
        if task.slice in self._too_large:
            return None
        self._count(task.seconds)
        return pages

    def _count(self, seconds: float) -> None:
        with self._lock:
            self._seconds_read += seconds
            self._stream.progress.advance(self._seconds_read / self._plan.span.seconds)

    def _collect(self, pages: list[_Page], task: _Task, window: Window, splits: int) -> None:
        """Add the pages of a window; of its halves, if Amazon keeps refusing its page tokens."""
        query, found, size, weight = task.query, 0, 0, 0
        try:
            for rows in self._stream.client.pages(query.request(self._stream.operation, window)):
                if task.place > self._failed_at or task.slice in self._too_large:
                    return  # it is not going to be written
                page = self._lister.page(rows, query, window)
                pages.append(page)
                found, size = found + page.inside, size + page.size
                weight = max(found, size // _BYTES_PER_ROW)
                self._slicer.observe(query.subject, window, weight, complete=False)
                if self._slicer.is_too_large(task.slice, weight):
                    self._slicer.shrink(task.slice)
                    self._too_large.add(task.slice)
                    return
            self._slicer.observe(query.subject, window, weight, complete=True)
        except PageTokenRefusedError:
            if not splits:
                raise
            for half in window.halves():
                self._collect(pages, task, half, splits - 1)
        except RequestFailedError as error:
            old = error.status == HTTPStatus.BAD_REQUEST and window.start < self._readable_from
            if not old or not self._accepts_recent(query):
                raise
            # How far back the operation reads is not known to the day.
            self._stream.warn_once(
                self._stream.operation.name,
                "Amazon refuses the oldest days that the operation reads; reading from a day later",
            )
            if window.start + DAY < window.end:
                later = Window(window.start + DAY, window.end)
                self._collect(pages, task, later, splits)

    def _accepts_recent(self, query: Query) -> bool:
        """Return whether Amazon accepts a query of the last day: asked once a sync."""
        with self._asking:
            if self._recent is None:
                until = self._plan.span.until
                request = query.request(self._stream.operation, Window(until - DAY, until))
                try:
                    self._stream.client.get(request)
                    self._recent = True
                except RequestFailedError:
                    self._recent = False
            return self._recent

    # ---- comparison ----------------------------------------------------------------------------

    def _slice(self, part: Slice, pages: Sequence[_Page]) -> Iterator[Record]:
        """Yield the records of a slice; once they are written, have the children write theirs."""
        unchanged, written = self._compare(part.window, pages)
        first = self._plan.span.grid.bucket(part.window.start)
        unwanted = {
            bucket
            for bucket in unchanged
            if not any(child.wants(bucket or first, changed=False) for child in self._children)
        }
        chunk: list[ListedRow] = []
        for page in pages:
            for number, row_hash, bucket in self._wanted(page, unwanted):
                changed = page.by_change or bucket not in unchanged
                if page.by_change and row_hash in written:
                    continue  # this version was there at the last reading, which wrote it
                if changed and not self._emitted.add(row_hash):
                    continue
                if page.by_change and bucket:
                    # The bucket was read with another version. Which one is newer is unknown, so
                    # its checksum is forgotten, and the next sync writes it again.
                    self._pending.pop(bucket, None)
                    if bucket in self._stored:
                        self._checksums.known.pop(bucket, None)
                chunk.append((page.rows[number], bucket or first, changed))
                if len(chunk) == _CHUNK:
                    yield from self._chunk(chunk)
                    chunk.clear()
        yield from self._chunk(chunk)

    def _wanted(self, page: _Page, unwanted: Collection[datetime | None]) -> Iterable[_HashedRow]:
        """Return the rows of a page that are written, or that children want."""
        if not page.by_change:
            return [listed for listed in page.listed if listed[2] not in unwanted]
        if self._lister.ignores_dates:
            return page.listed
        self._named -= page.undated_keys
        return chain(page.listed, page.undated)

    def _chunk(self, chunk: Sequence[ListedRow]) -> Iterator[Record]:
        valid = [
            (row, where, changed)
            for listed_row, where, changed in chunk
            for row in self._stream.valid_rows([listed_row])
        ]
        yield from with_children(self._stream, self._children, valid)

    def _compare(
        self, window: Window, pages: Sequence[_Page]
    ) -> tuple[set[datetime | None], set[int]]:
        """Return the buckets of a window whose rows are those of the last reading, and their rows.

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
                    self._rows[bucket].add(row_hash)
        unchanged: set[datetime | None] = set()
        rows: set[int] = set()
        bucket = grid.bucket(window.start)
        single = window.start == bucket and grid.end(bucket) >= window.end
        while bucket < window.end:
            end = grid.end(bucket)
            if end <= window.end or window.end == self._plan.span.until:
                placed = self._rows.pop(bucket, set())
                found = checksum(placed | unplaced) if single else checksum(placed)
                known = self._checksums.known.get(bucket)
                if known == found:
                    unchanged |= {bucket, None} if single else {bucket}
                elif known is not None and known == checksum(placed):
                    unchanged.add(bucket)
                if bucket in unchanged:
                    rows |= placed
                self._pending[bucket] = found
            bucket = end
        return unchanged, rows

    # ---- bookmark ------------------------------------------------------------------------------

    def _finish(self, part: Slice) -> None:
        """Move the bookmark to the end of a slice whose records, and children, are written."""
        # If a child failed, the parents whose children are missing have to come again.
        if failed := [child.stream.name for child in self._children if child.failure]:
            if not self._warned_of_failure:
                self._warned_of_failure = True
                self._stream.warn(
                    "%s failed: bookmark not advanced; the next sync retries", ", ".join(failed)
                )
            return
        self._checksums.known.update(self._pending)
        self._stored.update(self._pending)
        self._pending.clear()
        if not part.share:
            self._bookmark = max(part.window.end, self._bookmark or part.window.end)
        # What is new comes after all of the lookback that was due.
        self._stream.advance_bookmark(self._bookmark, part.position or self._plan.now)


class _Lister:
    """Hashes the rows of pages, and finds the bucket of each without decoding it.

    Args:
        stream: The stream.
        grid: The buckets.
        row_hash: Hashes a row.
        named: Keys that the change feed named. Each one that a list contains is removed from it.
        is_first: Whether nothing was read before.
    """

    def __init__(
        self,
        stream: SlicedStream,
        grid: Grid,
        row_hash: Callable[[Any], int],
        named: set[str],
        *,
        is_first: bool,
    ) -> None:
        self._is_first = is_first
        self._grid = grid
        self._hash = row_hash
        self._named = named
        queries = stream.queries()
        created = next(query.date for query in queries if not query.by_change)
        self._read = {
            query.subject: FieldReader(query.date, created, tuple(stream.keys[:1]), *query.expected)
            for query in queries
        }
        self._places: dict[str, tuple[datetime, datetime]] = {}
        self._inside = self._ignored = self._unfiltered = 0

    def page(self, rows: Rows, query: Query, window: Window) -> _Page:
        """Return a page of a window."""
        listed: list[_HashedRow] = []
        undated: list[_HashedRow] = []
        undated_keys: set[str] = set()
        first, last = floor(window.start, HOUR), window.end
        if query.by_change:
            first, last = first - _SLACK, last + _SLACK
        read, outside, size = self._read[query.subject], 0, 0
        expected = [*query.expected.values()]
        for number, row in enumerate(rows.json()):
            date, created, key, *found = read(row)
            if found != expected and _differ(found, expected):
                self._unfiltered += 1
            hour, bucket = self._place(date)
            known = listed if hour or not query.by_change else undated
            if hour and not first <= hour < last:
                outside += 1
                if query.by_change and not self._is_first:
                    continue  # Amazon ignores the filter: it is no change
                if not self._is_first and window.is_just_outside(moment_of(date)):
                    continue  # it belongs to the next window, or to the one before
                bucket = None
            else:
                size += len(memoryview(row)) if known is listed else 0
                if query.by_change:
                    _, bucket = self._place(created)
            known.append((number, self._hash(row), bucket))
            if self._named:
                (self._named.discard if known is listed else undated_keys.add)(str(key))
        inside = len(rows) - outside - len(undated)
        if query.by_change:
            self._inside += inside
            self._ignored += outside
        return _Page(rows, listed, undated, undated_keys, query.by_change, inside, size)

    @property
    def ignores_dates(self) -> bool:
        """Whether Amazon ignores the dates of changes that it is asked for, as far as seen.

        In a first sync it does not matter: then every row is written once.
        """
        return not self._is_first and self._ignored > max(self._inside, STRAY_ROWS)

    def warn(self, stream: SlicedStream) -> None:
        """Warn of rows that Amazon returned although they were not asked for."""
        if self._unfiltered:
            stream.warn(
                "%s ignores purchase_order_state or ordering_vendor_codes for this account: %d "
                "rows have other values. They are kept; a filter in stream_maps removes them.",
                stream.operation.name,
                self._unfiltered,
            )
        if self._ignored > max(self._inside, STRAY_ROWS):
            stream.warn(
                "%s ignores the filter by change date: %d rows lie outside of the range and do not "
                "count as changes. The lookback finds all changes %s.",
                stream.operation.name,
                self._ignored,
                within_a_cycle(stream.settings),
            )

    def _place(self, date: object) -> tuple[datetime | None, datetime | None]:
        """Return the hour of a row's date and its bucket, twice None if it is no date."""
        if isinstance(date, dict):
            date = date.get("date")
        if not isinstance(date, str):
            return None, None
        # Most dates are in UTC: then the hour is in their first characters.
        text = date[:_HOUR_DIGITS] if date.endswith("Z") else date
        place = self._places.get(text)
        if place is None:
            moment = moment_of(date)
            if moment is None:
                return None, None
            hour = floor(moment, HOUR)
            place = hour, self._grid.bucket(hour)
            if len(self._places) < _MOST_HOURS:
                self._places[text] = place
        return place


def _differ(found: Sequence[object], expected: Sequence[str]) -> bool:
    """Return whether a value is another than expected; one that is missing says nothing."""
    pairs = zip(found, expected, strict=True)
    return any(value and str(value).casefold() != other.casefold() for value, other in pairs)
