"""Streams that are read window by window: windows, pages, comparison, records, bookmark."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context, Record
from typing_extensions import override

from tap_amazon_business.api.operations import Operation
from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.children import Child
from tap_amazon_business.streams.queries import Probe, Query, probes_of
from tap_amazon_business.streams.sliced_sync import SlicedSync
from tap_amazon_business.sync.bookmark import (
    Coverage,
    ResumePoint,
    bookmark_state,
    fingerprint,
    resume_point,
)
from tap_amazon_business.sync.checksums import (
    DAY,
    HOUR,
    Checksums,
    floor,
)
from tap_amazon_business.sync.lookback import Lookback, due
from tap_amazon_business.sync.windows import Span, plan
from tap_amazon_business.times import rfc3339


@dataclass(frozen=True)
class Plan:
    """Plan of one sync of a stream, made once.

    Attributes:
        now: The time of day when it began.
        resume: Where it resumes.
        span: What it reads.
        covers: What its bookmark covers.
        since: Where the first sync began, if that is known.
        checksums: What was read before; the sync updates them.
        salt: What shapes the records of the stream and of its children.
    """

    now: datetime
    resume: ResumePoint
    span: Span
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
        lookback_setting: How many days back rows are read again to find later changes.
        has_children: Whether other streams are built from its rows.
        pages_per_slice: How many pages a slice should contain.
        most_windows: How many windows are read in parallel at most, None if that does not matter.
        widest_window: The widest window to list at a time: a backfill resumes at its end.
        overlap: How far behind the bookmark every sync begins at least.
        margin: How close to now the operation may be asked.
    """

    operation: ClassVar[Operation]
    lookback_setting: ClassVar[str]
    has_children: ClassVar[bool] = False
    pages_per_slice: ClassVar[int] = 4
    most_windows: ClassVar[int | None] = None
    widest_window: ClassVar[timedelta] = timedelta.max
    overlap: ClassVar[timedelta] = timedelta(hours=1)
    margin: ClassVar[timedelta] = timedelta(minutes=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._advanced: tuple[datetime | None, datetime] | None = None

    @abc.abstractmethod
    def queries(self) -> Sequence[Query]:
        """Return the queries whose rows make up a window."""

    @property
    @abc.abstractmethod
    def covers(self) -> Coverage:
        """Return what the stream reads, in parts that may grow: what comes later has no past."""

    @cached_property
    def children(self) -> list[Child]:
        """Return the selected children, in the order in which they are synced."""
        streams = [s for s in self._tap.streams.values() if isinstance(s, AmazonStream)]
        children = (stream.child_of(self) for stream in streams if stream.selected)
        return sorted(filter(None, children), key=lambda child: child.follows_siblings)

    @override
    def probes(self) -> list[Probe]:
        queries = [query for query in self.queries() if not query.by_change]
        return probes_of(self.operation, queries, self.clock.now())

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
        for child in self.children:
            child.parent_begins()
        with suppress(TapError):  # it comes again when the stream is synced
            self.client.sign_in()  # the reply contains the time of day, which decides what to read
            _ = self.plan

    @property
    def is_incremental(self) -> bool:
        """Whether the sync resumes at a bookmark, and leaves one."""
        return self.shared.keeps_state and self.replication_method == "INCREMENTAL"

    @cached_property
    def plan(self) -> Plan:
        """Return what the sync does.

        Raises:
            TapError: The state is damaged.
        """
        now, start, covers = self.clock.now(), self.settings.start_date, self._coverage()
        oldest = now - self.operation.reach
        resume = resume_point(
            self.bookmark if self.is_incremental else {},
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
            covers,
            since=resume.since if resume.moment else span.since,
            checksums=Checksums.decode(resume.checksums, span.grid),
            salt="".join([self.shape, *(child.stream.shape for child in self.children)]),
        )

    @property
    def rolling(self) -> Lookback:
        """Return the rolling lookback."""
        recent = max(timedelta(days=self.settings.recent_days), self.overlap)
        cycle = timedelta(hours=self.settings.lookback_cycle_hours)
        length = timedelta(days=getattr(self.settings, self.lookback_setting))
        return Lookback(length, recent, cycle)

    def _coverage(self) -> Coverage:
        covers: Coverage = {"host": fingerprint(self.client.url), **self.covers}
        if self.has_children:
            names = [child.stream.name for child in self.children]
            covers["streams"] = sorted([*names, self.name] if self.selected else names)
        for child in self.children:
            covers |= child.covers
        return covers

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        self.client.sign_in()
        with ExitStack() as stack:
            for child in self.children:
                stack.enter_context(child.syncing(self.progress))
            yield from self.sync_records()
            for child in self.children:
                child.finish()
            if self._advanced and not any(child.failure for child in self.children):
                self.advance_bookmark(*self._advanced)

    def sync_records(self) -> Iterator[Record]:
        """Yield the records of one sync, and pass their rows on to the children."""
        if self.anything_to_read():
            yield from SlicedSync(self).records()

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
        """Write a bookmark, and those of children that have one of their own."""
        plan, bookmarks = self.plan, {}
        self._advanced = end, position
        if self.is_incremental and end:
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
        for child in self.children:
            if bookmark := child.own_bookmark(end, position):
                bookmarks[child.stream.name] = bookmark
        if bookmarks:
            self.write_bookmark(bookmarks)
