"""Streams that are read window by window: windows, pages, records, bookmark."""

from __future__ import annotations

import abc
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.examples import example_rows
from tap_amazon_business.streams.probes import listed
from tap_amazon_business.streams.sliced_sync import SLACK, Plan, Reading, SlicedSync
from tap_amazon_business.sync.bookmark import bookmark_state, fingerprint, resume_point
from tap_amazon_business.sync.lookback import Lookback, due
from tap_amazon_business.sync.windows import plan
from tap_amazon_business.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.api.operations import Operation
    from tap_amazon_business.streams.children import Child, ChildSync
    from tap_amazon_business.streams.probes import Probe
    from tap_amazon_business.streams.query import Query
    from tap_amazon_business.sync.bookmark import Coverage


class SlicedStream(AmazonStream):
    """A stream that an operation lists by date.

    The bookmark is the end of the last finished slice. Every sync reads the recent days before it
    again and emits their rows, and a share of the lookback, of which it emits the rows that
    changed, or all of them if nothing tells.

    Attributes:
        operation: The operation.
        examples: The operations whose examples it emits in the sandbox, if not the operation alone.
        changed_date: The field that tells when a row changed last, None if there is none.
        has_children: Whether other streams are made of its rows.
        pages_per_slice: How many pages a slice should hold.
        widest_window: The widest window to list at once: a backfill resumes at its end.
        overlap: How far behind the bookmark every sync begins at least.
        margin: How close to now the operation may be asked.
    """

    operation: ClassVar[Operation]
    examples: ClassVar[tuple[Operation, ...]] = ()
    changed_date: ClassVar[str | None] = None
    has_children: ClassVar[bool] = False
    pages_per_slice: ClassVar[int] = 4
    widest_window: ClassVar[timedelta] = timedelta.max
    overlap: ClassVar[timedelta] = timedelta(hours=1)
    margin: ClassVar[timedelta] = timedelta(minutes=2)

    @property
    @abc.abstractmethod
    def lookback(self) -> timedelta:
        """Return how far back rows are read again to find later changes."""

    @abc.abstractmethod
    def queries(self) -> Sequence[Query]:
        """Return the queries whose rows make up a window."""

    @property
    def covers(self) -> Coverage:
        """Return what the stream reads, in parts that may grow: what comes later has no past."""
        return {}

    @property
    def emits_unchanged(self) -> bool:
        """Tell whether rows of the lookback are emitted although their dates show no change."""
        return False

    def start(self, now: datetime) -> datetime | None:
        """Return where a first sync begins, None if as far back as the API reads."""
        starts = [child.start(now) for child in self.selected_children]
        if self.selected or None in starts:
            return self.settings.start_date
        return min((start for start in starts if start), default=self.settings.start_date)

    @property
    def selected_children(self) -> list[Child]:
        """Return the children that a sync of this stream syncs, too, in their order."""
        streams = [s for s in self._tap.streams.values() if isinstance(s, ChildStream)]
        children = (stream.child_of(self) for stream in streams if stream.selected)
        return sorted(filter(None, children), key=lambda child: child.made_of_children)

    @override
    def probes(self) -> list[Probe]:
        return listed(self.operation, self.queries(), self.clock.now())

    @property
    @override
    def is_due(self) -> bool:
        return self.selected or bool(self.selected_children)

    @override
    def prepare(self) -> None:
        with suppress(TapError):  # it comes again when the stream is synced
            self.client.sign_in()  # it tells the time of day, which decides what to read
            _ = self.plan

    @cached_property
    def plan(self) -> Plan:
        """Return what the sync does.

        Raises:
            TapError: The state is damaged.
        """
        now = self.clock.now()
        resume = resume_point(
            self.stream_state if self.replication_method == "INCREMENTAL" else {},
            stream=self.name,
            replication_key=self.replication_key,
            covers=self._coverage,
            now=now,
        )
        lookback = self.rolling
        span = plan(
            now=now,
            margin=self.margin,
            reach=self.operation.reach,
            start=self.settings.start_date if resume.moment else self.start(now),
            end=self.settings.end_date,
            bookmark=resume.moment,
            recent=lookback.recent,
            shares=due(lookback, position=resume.position, now=now) if resume.position else (),
        )
        return Plan(now, resume, span)

    @property
    def rolling(self) -> Lookback:
        """Return the rolling lookback."""
        recent = max(timedelta(days=self.settings.recent_days), self.overlap)
        cycle = timedelta(hours=self.settings.lookback_cycle_hours)
        return Lookback(self.lookback, recent, cycle)

    @property
    def _coverage(self) -> Coverage:
        covers: Coverage = {"host": fingerprint(self.client.url), **self.covers}
        children = self.selected_children
        if self.has_children:
            names = {child.stream.name for child in children if child.needs_past}
            covers["streams"] = sorted(names | ({self.name} if self.selected else set()))
        for child in children:
            covers |= child.covers
        return covers

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        self.client.sign_in()
        for child in self.selected_children:
            child.require_parent_fields(self.name, self.effective_schema)
        with ExitStack() as stack:
            children = [
                stack.enter_context(child.syncing(self.plan.resume, self.track))
                for child in self.selected_children
            ]
            if self.settings.sandbox:
                rows = example_rows(self.client, self.examples or (self.operation,))
                yield from self.sync_of(children).emit(self.valid_rows(rows))
            else:
                yield from self.sync_records(children)

    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        """Yield the records of one sync, and pass them on to the children."""
        if self.anything_to_read():
            yield from self.sync_of(children).records()

    def sync_of(
        self, children: Sequence[ChildSync], more: Mapping[str, Any] | None = None
    ) -> SlicedSync:
        """Return a sync.

        Args:
            children: The syncs of the children.
            more: What the bookmark keeps besides.
        """
        # All of the lookback was read within the cycle before the position.
        read = self.plan.resume.position or self.plan.now
        reading = Reading(
            operation=self.operation,
            queries=self.queries(),
            pages_per_slice=self.pages_per_slice,
            widest_window=self.widest_window,
            plan=self.plan,
            changed_date=None if self.emits_unchanged else self.changed_date,
            unchanged_since=read - self.rolling.cycle - SLACK,
            advance=self.advance_bookmark,
        )
        return SlicedSync(self, reading, children, more or {})

    def anything_to_read(self) -> bool:
        """Log what the sync is going to read; tell whether there is anything."""
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
                "nothing to read: %s is not before %s", rfc3339(span.since), rfc3339(span.until)
            )
            return False
        # The table at the end tells the bookmarks.
        self.debug("reading %s to %s", rfc3339(span.since), rfc3339(span.until))
        for share in span.shares:
            self.debug("reading again %s", share.window)
        return True

    def advance_bookmark(
        self, end: datetime, position: datetime, more: Mapping[str, Any] | None = None
    ) -> None:
        """Write a bookmark.

        Args:
            end: The end of the last finished slice.
            position: The position in the lookback.
            more: What else to keep.
        """
        own = dict(more or {})
        for child in self.selected_children:
            own |= child.bookmark_part
        self.write_bookmark(
            bookmark_state(
                self.replication_key, end, position if self.lookback else None, self._coverage, own
            )
        )
