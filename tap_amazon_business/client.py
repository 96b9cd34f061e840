"""The base of all streams: slices, pages, records, bookmark; and one subclass per API family."""

from __future__ import annotations

import abc
import logging
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.singerlib import RecordMessage, SchemaMessage
from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.connection import Connection, Request
from tap_amazon_business.errors import (
    PageTokenRefusedError,
    RequestFailedError,
    TapError,
    scrub,
)
from tap_amazon_business.records import Shaper, moment_of
from tap_amazon_business.schemas import with_precision
from tap_amazon_business.windows import Slice, Slicer, Span, parse_moment, plan, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.clock import Clock
    from tap_amazon_business.settings import Settings

Row = dict[str, Any]

# A list whose page tokens are refused for good is begun again this often: tokens may expire while
# the rows of a page are worked on, and rows that come again are recognised by their keys.
_MOST_RESTARTS = 3

# The sandbox answers with examples whose tokens lead nowhere, or round in circles.
_SANDBOX_PAGES = 3

# Slices are cut to hold about this many pages, and some more may wait for their turn per thread:
# so the threads need not stop while the first of them is in the midst of its slice.
_PAGES_PER_SLICE = 4
_PAGES_AHEAD = 6

# A bookmark this far in the future comes from a clock that was wrong, not from two that differ.
_CLOCKS_DIFFER = timedelta(days=1)


class AmazonStream(Stream, abc.ABC):
    """A stream that is read from one operation.

    Subclasses say what it is (name, schema, keys), how it is asked for (operation, path, role) and
    where the rows stand in an answer.

    Args:
        tap: The tap.
        connection: The way to the API that has the operation.
        settings: The checked settings.
        clock: The time.
        on_failure: Called where the stream's sync fails and the others' go on.
        flush: Hands on the messages that were written.
    """

    operation: ClassVar[str]
    path: ClassVar[str]
    role: ClassVar[str]
    rows_field: ClassVar[str]
    token_parameter: ClassVar[str]

    def __init__(
        self,
        tap: Tap,
        *,
        connection: Connection,
        settings: Settings,
        clock: Clock,
        on_failure: Callable[[str, TapError], None],
        flush: Callable[[], None],
    ) -> None:
        super().__init__(tap)
        self.connection = connection
        self.settings = settings
        self.clock = clock
        self._on_failure = on_failure
        self._flush = flush
        self._reported: set[tuple[str, str]] = set()
        self._messages = True
        self.failed = False

    # ---- asking --------------------------------------------------------------------------------

    def request(
        self, kind: str, about: str, params: dict[str, str], path: str | None = None
    ) -> Request:
        """Return a request of this stream's operation; kind and `about` name it in messages."""
        return Request(self.operation, path or self.path, params, kind, about, self.role)

    @abc.abstractmethod
    def rows(self, body: Row) -> list[Any] | None:
        """Return the rows of an answer, None where it holds no list of rows."""

    @abc.abstractmethod
    def next_token(self, body: Row) -> str | None:
        """Return the token of the next page, None after the last."""

    def pages(self, request: Request) -> Iterator[list[Row]]:
        """Yield the rows of each page, until there is no page token.

        A page may be empty and still carry a token. Every page is asked for with the parameters of
        the first.

        Raises:
            RequestFailedError: A page could not be had.
        """
        restarts = 0
        token: str | None = None
        known: set[str] = set()
        for number in count(1):
            try:
                body = self.connection.get(
                    request.page(self.token_parameter, token) if token else request
                )
            except PageTokenRefusedError:
                if restarts == _MOST_RESTARTS:
                    raise
                restarts += 1
                self.say(
                    "%s: the page token was refused; its list is begun again",
                    request,
                    level=logging.WARNING,
                )
                token = None
                known.clear()
                continue
            rows = self.rows(body)
            if rows is None:
                raise RequestFailedError(
                    f"{request} was answered with HTTP 200, but without a list of "
                    f"'{self.rows_field}'. Run the sync again; if it comes again, ask Amazon's "
                    "support."
                )
            yield [row for row in rows if self._is_object(row)]
            token = self.next_token(body)
            if not token or (self.settings.sandbox and number == _SANDBOX_PAGES):
                return
            if str(token) in known:
                raise RequestFailedError(
                    f"{request}: its page tokens lead round in circles; giving up on it. Run the "
                    "sync again; if it comes again, ask Amazon's support."
                )
            known.add(str(token))

    def _is_object(self, row: object) -> bool:
        if not isinstance(row, dict):
            self._report(self.rows_field, "a row that is no object was left out")
        return isinstance(row, dict)

    # ---- records -------------------------------------------------------------------------------

    @property
    def keys(self) -> Sequence[str]:
        """Return the fields that tell rows apart; a catalog may name others to the target."""
        keys: Sequence[str] = type(self).primary_keys  # type: ignore[assignment]
        return keys

    @cached_property
    def _shaper(self) -> Shaper:
        # Of the catalog's schema where there is one: it is the one that the target was told.
        return Shaper(self.effective_schema, self._report)

    def reshape(self, row: Row) -> Row:
        """Bring Amazon's row into the layout of the schema."""
        return row

    def keyed(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows in the layout of the schema; without its key, no target could load one."""
        for row in map(self.reshape, rows):
            if all(isinstance(row.get(key), (str, int)) for key in self.keys):
                yield row
            else:
                self._report(", ".join(self.keys), "a row without its key was left out")

    def record(self, row: Row) -> Record:
        """Return a row of the schema's layout as a record that is valid against it."""
        return self._shaper(row)

    def _report(self, path: str, problem: str) -> None:
        """Warn of a field once, however many rows have it."""
        if (path, problem) not in self._reported:
            self._reported.add((path, problem))
            self.say("%s: %s", scrub(path), problem, level=logging.WARNING)

    def say(self, message: str, *arguments: object, level: int = logging.INFO) -> None:
        """Log a line that names the stream; Meltano does not show a logger's name."""
        self.logger.log(level, "%s: %s", self.name, message % arguments)

    # ---- what the SDK would do otherwise -------------------------------------------------------

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # It tells a target to delete what this sync did not bring: here, all that is unchanged.
        return False

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        # The bookmark follows slices, so no row can carry it too far.
        return None

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        # The bookmark is read where the sync is planned; state holds nothing else.
        return

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        # Rows come in any order, with odd dates or none: they do not move the bookmark.
        return

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        # Children are worked page by page, not parent by parent.
        return ()

    @override
    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        for message in super()._generate_schema_messages():
            message.schema = with_precision(message.schema)
            yield message

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        # The SDK looks at every field of every record, to take out what is deselected and to
        # conform types: the one is seldom needed, the other never.
        if not self._all_selected:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream_map.stream_alias, mapped, time_extracted=self.clock.now()
                )

    def batched(self, record: Record) -> Iterator[Record]:
        """Yield a record as a BATCH file holds it, nothing where it is filtered out.

        The SDK writes records to these files as they come, with what is deselected and what a
        stream map takes out or hashes.

        Raises:
            TapError: A BATCH message is of the stream's own name, which a stream map changes.
        """
        if {stream_map.stream_alias for stream_map in self.stream_maps} != {self.name}:
            raise TapError(
                f"{self.name}: stream_maps makes several streams of it, or gives it another name, "
                "which batch_config cannot; use one of the two settings"
            )
        for message in self._generate_record_messages(record):
            yield message.record

    @cached_property
    def _all_selected(self) -> bool:
        return all(self.mask.values())

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync, and keep a failure from ending the other streams' syncs."""
        self._messages = write_messages
        emitted = 0
        try:
            for record in super()._sync_records(context, write_messages=write_messages):
                emitted += 1
                if write_messages:
                    yield record
                else:
                    yield from self.batched(record)
        except TapError as error:
            self.fail(error)
        finally:
            self._flush()
        self.say("%d records", emitted)

    def fail(self, error: TapError) -> None:
        """Take note that the stream's sync failed."""
        self.failed = True
        self._on_failure(self.name, error)


@dataclass(frozen=True)
class _Task:
    """A request for rows of a slice; `last` where no other is needed for the slice."""

    part: Slice
    request: Request
    last: bool


@dataclass(frozen=True)
class Reading:
    """How an operation that lists by date has to be read.

    Attributes:
        width: The widest range that is asked for at once.
        reach: How far back the API reads.
        margin: How close to now it may be asked.
        overlap: How far behind the bookmark everything is read anew: rows may appear late.
        page_size: How many rows a page holds at most.
    """

    width: timedelta
    reach: timedelta
    margin: timedelta = timedelta(minutes=2)
    overlap: timedelta = timedelta(hours=1)
    page_size: int = 100


class SlicedStream(AmazonStream):
    """A stream read in slices of time, whose bookmark is the end of the last finished slice.

    Attributes:
        reading: How the operation has to be read.
        changed_date: The field that tells whether a row that is read again changed since; where
            there is none, all that is read again is emitted again.
    """

    reading: ClassVar[Reading]
    changed_date: ClassVar[str | None] = None

    @property
    @abc.abstractmethod
    def lookback(self) -> timedelta:
        """Return how far behind the bookmark rows are read again to find later changes."""

    @abc.abstractmethod
    def requests(self, part: Slice) -> list[Request]:
        """Return the first-page requests whose rows make up a slice."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        span = self.span()
        self._seen: set[tuple[Any, ...]] = set()
        if span.since >= span.until:
            self.say(
                "nothing to read, as %s is not before %s",
                rfc3339(span.since),
                rfc3339(span.until),
            )
            return
        self.say(
            "reading %s to %s, and what lies before %s only for later changes",
            rfc3339(span.reread_from),
            rfc3339(span.until),
            rfc3339(span.since),
        )
        threads = self.connection.parallel
        tasks: deque[_Task] = deque()
        sources = self._sources(span, tasks)
        with ReadAhead(sources, threads=threads, hold=_PAGES_AHEAD * threads) as ahead:
            for pages in ahead:
                task = tasks.popleft()
                for rows in pages:
                    yield from self.page_records(list(self.keyed(rows)), task.part, span)
                if task.last:
                    self.finish(task.part)

    def _sources(
        self, span: Span, tasks: deque[_Task]
    ) -> Iterator[Callable[[], Iterable[list[Row]]]]:
        """Yield what reads each request of each slice, and file it under `tasks`."""
        slicer = Slicer(
            span, widest=self.reading.width, rows=_PAGES_PER_SLICE * self.reading.page_size
        )
        for part in slicer:
            requests = self.requests(part)
            for request in requests:
                task = _Task(part, request, last=request is requests[-1])
                tasks.append(task)
                yield partial(self._read, task, slicer)

    def _read(self, task: _Task, slicer: Slicer) -> Iterator[list[Row]]:
        """Yield the rows of each page of a request, and let later slices be cut by them."""
        found = 0
        for rows in self.pages(task.request):
            found += len(rows)
            slicer.observe(task.request.kind, task.part.window, found)
            yield rows

    def span(self) -> Span:
        """Decide what this sync reads."""
        span = plan(
            now=self.clock.now(),
            margin=self.reading.margin,
            reach=self.reading.reach,
            start=self.settings.start_date,
            end=self.settings.end_date,
            bookmark=self.bookmark(),
            overlap=self.reading.overlap,
            lookback=self.lookback,
        )
        if span.unreadable:
            self.say(
                "%s reaches back %d days only: reading from %s instead of %s",
                self.operation,
                self.reading.reach.days,
                rfc3339(span.since),
                rfc3339(span.unreadable),
                level=logging.WARNING,
            )
        return span

    def page_records(self, rows: list[Row], part: Slice, span: Span) -> Iterator[Record]:
        """Yield the records to emit of a page of rows."""
        return self.fresh(rows, part, span)

    def fresh(self, rows: Iterable[Row], part: Slice, span: Span) -> Iterator[Record]:
        """Yield the records that this sync has not emitted yet and, read again, that changed."""
        for row in rows:
            identity = tuple(str(row[key]) for key in self.keys)
            if identity in self._seen:
                continue
            if part.reread and self.changed_date and before(row, self.changed_date, span.since):
                continue
            self._seen.add(identity)
            yield self.record(row)

    # ---- bookmark ------------------------------------------------------------------------------

    def bookmark(self) -> datetime | None:
        """Return the end of the last finished slice, None where there is none.

        Raises:
            TapError: The state is not of this stream, or damaged.
        """
        state = self.stream_state
        value = state.get("replication_key_value")
        if value is None or self.replication_method != "INCREMENTAL":
            return None
        covers = state.get("for")  # a state of an older version does not tell
        if isinstance(covers, str) and (added := self.not_covered(covers.split())):
            self.say(
                "the bookmark does not cover %s, which was not read so far: everything is read "
                "again, as if there were none",
                ", ".join(added),
                level=logging.WARNING,
            )
            state.clear()
            return None
        found = f"The state of {self.name} holds {state.get('replication_key')!r}: {value!r}"
        remedy = "correct it, or clear the stream's state to read everything again"
        if state.get("replication_key") != self.replication_key:
            raise TapError(f"{found}, but its bookmark is '{self.replication_key}'; {remedy}.")
        try:
            bookmark = parse_moment(value)
        except (TypeError, ValueError, AttributeError) as error:
            raise TapError(f"{found}, which is not a date-time; {remedy}.") from error
        if bookmark > self.clock.now() + _CLOCKS_DIFFER:
            raise TapError(f"{found}, which lies in the future; {remedy}.")
        return bookmark

    @property
    def covered(self) -> list[str] | None:
        """Return what the bookmark is for, where that may grow: children, regions, vendor codes.

        What comes to it later has no past yet, which the bookmark would skip. Each is a word.
        """
        return None

    def not_covered(self, covers: list[str]) -> list[str]:
        """Return what this sync reads besides what the bookmark covers."""
        return [part for part in self.covered or () if part not in covers]

    def finish(self, part: Slice) -> None:
        """Move the bookmark to the end of a slice of which everything is out."""
        if part.reread or self.replication_method != "INCREMENTAL":
            return
        end = part.window.end
        bookmark = self.bookmark()
        if bookmark is not None and end <= bookmark:
            return
        self.stream_state["replication_key"] = self.replication_key
        self.stream_state["replication_key_value"] = rfc3339(end)
        if self.covered is not None:
            self.stream_state["for"] = " ".join(self.covered)
        self.state_manager.is_flushed = False
        # With BATCH files, the SDK writes state after each file, of which there is none where only
        # the children are selected.
        if self._messages or not self.selected:
            self._write_state_message()


class VendorStream(AmazonStream):
    """A stream of the Selling Partner API: rows and page token stand in the answer's payload."""

    token_parameter = "nextToken"  # noqa: S105 (a parameter's name)
    role = "'Amazon Fulfillment' or 'Inventory and Order Tracking'"

    @override
    def rows(self, body: Row) -> list[Any] | None:
        payload = body.get("payload")
        if not isinstance(payload, dict) or not isinstance(payload.get("pagination") or {}, dict):
            return None
        rows = payload.get(self.rows_field)
        if rows is None and not payload.keys() - {self.rows_field, "pagination"}:
            return []  # an empty list may be left out
        return rows if isinstance(rows, list) else None

    @override
    def next_token(self, body: Row) -> str | None:
        token: str | None = (body["payload"].get("pagination") or {}).get("nextToken")
        return token


class BusinessStream(AmazonStream):
    """A stream of the Amazon Business API: rows and page token stand at the answer's top."""

    token_parameter = "nextPageToken"  # noqa: S105 (a parameter's name)
    role = "'Amazon Business Analytics'"

    @override
    def rows(self, body: Row) -> list[Any] | None:
        rows = body.get(self.rows_field)
        return rows if isinstance(rows, list) else None

    @override
    def next_token(self, body: Row) -> str | None:
        token: str | None = body.get("nextPageToken")
        return token


def before(row: Row, field: str, moment: datetime) -> bool:
    """Tell whether a date lies before a moment; one that is missing does not."""
    found = moment_of(row.get(field))
    return found is not None and found < moment
