"""The progress of each stream: lines in the log or a display on a terminal, and a summary."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.metrics import Metric, Point, Status, Tag

from tap_amazon_business.clock import Clock, Stopwatch, Ticks
from tap_amazon_business.times import duration

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream

    # Shows the progress of all streams that run.
    Show = Callable[[Sequence["Report"]], None]

SECONDS_BETWEEN_LINES = 30
_SECONDS_BETWEEN_FRAMES = 1

# A stream that waited for a usage plan this share of the time is said to wait for it.
_MOSTLY = 0.5


class StreamProgress:
    """One stream's progress. Its own threads change it, any thread may read it.

    Attributes:
        records: How many records were built so far, with those that a stream map removes.
        share: The share of the sync that is done, from 0 to 1; None while that is unknown.
    """

    def __init__(self, clock: Clock) -> None:
        self._time = Stopwatch(clock)
        self._parents: tuple[StreamProgress, ...] = ()
        self._begun = self._ended = 0
        self._share: float | None = None
        self.records = 0

    @contextmanager
    def running(self, *parents: StreamProgress) -> Iterator[None]:
        """Measure a sync; the share of a child, which may have two parents, is its parent's."""
        self._parents += parents
        self._begun += 1
        with self._time:
            yield
        self._ended += 1

    @property
    def has_ended(self) -> bool:
        """Whether it was synced to the end, without an error of its own or of a parent."""
        return 0 < self._begun == self._ended

    @property
    def is_running(self) -> bool:
        """Whether the stream is being synced."""
        return self._time.is_running

    @property
    def seconds(self) -> float:
        """For how many seconds it has been synced."""
        return self._time.seconds

    @property
    def share(self) -> float | None:
        """The share of the sync that is done, from 0 to 1; None while that is unknown."""
        shares = (parent.share for parent in self._parents if parent.is_running)
        return min((share for share in shares if share is not None), default=self._share)

    def advance(self, share: float) -> None:
        """Set the share of the sync that is done."""
        self._share = min(share, 1.0)


@dataclass(frozen=True)
class Report:
    """One stream's progress at a moment.

    Attributes:
        stream: The stream.
        records: How many records it has written.
        requests: How many requests it has sent.
        share: The share of the sync that is done, None while that is unknown.
        left: How many seconds the rest takes at the pace so far, None if that is unknown.
        rate: The rate of the usage plan that it mostly waits for, None if it does not.
        silent: Whether its API has answered nothing since the report before.
    """

    stream: AmazonStream
    records: int
    requests: int
    share: float | None
    left: float | None
    rate: float | None
    silent: bool = False

    def text(self) -> str:
        """Return the report as one line that does not name the stream."""
        parts = (
            f"{int(100 * self.share)} % done" if self.share is not None else "",
            f"{self.records:,} records",
            f"{self.requests:,} requests",
            f"about {self.time_left} left" if self.left else "",
            self.limit,
        )
        return ", ".join(filter(None, parts))

    @property
    def time_left(self) -> str:
        """The time that the rest takes, in words; empty if it is unknown."""
        return duration(self.left) if self.left else ""

    @property
    def limit(self) -> str:
        """The limit that it waits for, in words; empty if it does not."""
        return f"waiting for Amazon's limit ({self.rate:.3g} requests/s)" if self.rate else ""


@contextmanager
def log_progress(
    streams: Sequence[AmazonStream], clock: Clock, logger: logging.Logger
) -> Iterator[None]:
    """Show the progress of streams as long as they run: on a terminal, or in the log."""
    with ExitStack() as stack:
        show = stack.enter_context(_display(logger))
        ticks = clock.every(_SECONDS_BETWEEN_FRAMES if show else SECONDS_BETWEEN_LINES)
        stack.enter_context(_watched(streams, show or _log, ticks))
        yield


def _display(logger: logging.Logger) -> AbstractContextManager[Show | None]:
    # Records on the same terminal would tear the display.
    if sys.stderr.isatty() and not sys.stdout.isatty():
        with suppress(ModuleNotFoundError):  # rich is an extra: see pyproject.toml
            from tap_amazon_business.run.terminal import display  # noqa: PLC0415

            return display(sys.stderr, logger)
    return nullcontext()


@contextmanager
def _watched(streams: Sequence[AmazonStream], show: Show, ticks: Ticks) -> Iterator[None]:
    """Show the progress of the running streams with every tick, in a thread of its own."""

    def watch() -> None:
        watched = [_Watched(stream) for stream in streams]
        for _ in ticks:
            reports = [one.report() for one in watched]
            show([report for report in reports if report])

    watcher = threading.Thread(target=watch, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ticks.stop()
        watcher.join()  # a line that is being written when Python ends would crash it


def _log(reports: Sequence[Report]) -> None:
    """Log a line for each report; the retries of an API that does not answer are logged anyway."""
    for report in reports:
        if not report.silent:
            report.stream.info("%s", report.text())


class _Watched:
    """A stream, and how long it had waited and what its API had answered at the last report."""

    def __init__(self, stream: AmazonStream) -> None:
        self._stream = stream
        self._ran = self._waited = 0.0
        self._answers = 0

    def report(self) -> Report | None:
        """Return the stream's progress; None if it does not run."""
        progress, traffic = self._stream.progress, self._stream.client.traffic
        ran, waited = progress.seconds, traffic.waited
        mostly = waited - self._waited > _MOSTLY * (ran - self._ran)
        self._ran, self._waited = ran, waited
        if not progress.is_running:
            return None
        before, self._answers = self._answers, self._stream.client.answers
        share = progress.share
        return Report(
            self._stream,
            progress.records,
            traffic.requests,
            share,
            left=ran * (1 - share) / share if share else None,
            rate=traffic.rate if mostly else None,
            silent=self._answers == before and not mostly,
        )


# ---- at the end ----------------------------------------------------------------------------------

_HEADER = (
    "stream",
    "records",
    "requests",
    "retries",
    "bookmark before",
    "bookmark after",
    "seconds",
    "waited",
)
_NUMBERS = frozenset({1, 2, 3, 6, 7})
_NONE = "-"


class Summary:
    """The summary of a sync, logged once at its end."""

    def __init__(self, streams: Sequence[AmazonStream], state: Mapping[str, Any]) -> None:
        self._streams = streams
        self._state = state
        self._before = {stream.name: self._bookmark(stream) for stream in streams}

    def log(self, logger: logging.Logger) -> None:
        """Log the METRIC lines, and the table as one block."""
        for stream in self._streams:
            _log_metrics(stream)
        logger.info("Sync summary:\n%s", "\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        rows = [_HEADER, *map(self._row, self._streams)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        ends = ["", *map(_end, self._streams)]
        for row, end in zip(rows, ends, strict=True):
            cells = (
                cell.rjust(width) if number in _NUMBERS else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield "  ".join([*cells, end]).rstrip()

    def _row(self, stream: AmazonStream) -> tuple[str, ...]:
        traffic = stream.client.traffic
        return (
            stream.name,
            f"{stream.progress.records:,}",
            f"{traffic.requests:,}",
            f"{traffic.retries:,}",
            self._before[stream.name],
            self._bookmark(stream),
            f"{stream.progress.seconds:,.1f}",
            f"{traffic.waited:,.1f}",
        )

    def _bookmark(self, stream: AmazonStream) -> str:
        # A child has none: its parent's bookmark covers it.
        part = self._state.get("bookmarks", {}).get(stream.name, {})
        return str(part.get("replication_key_value") or _NONE)


def _end(stream: AmazonStream) -> str:
    """Return how a stream ended, in a word; empty if it is complete."""
    if stream.failed:
        return "failed"
    return "" if stream.progress.has_ended else "incomplete"


def _log_metrics(stream: AmazonStream) -> None:
    """Log what the SDK's meters of a stream log, once, however long the sync took."""
    tags = {Tag.STREAM.value: stream.name, Tag.PID.value: os.getpid()}
    status = Status.FAILED if _end(stream) else Status.SUCCEEDED
    progress, logger = stream.progress, stream.metrics_logger
    timed = {**tags, Tag.STATUS.value: status.value}
    for point in (
        Point("timer", Metric.SYNC_DURATION, progress.seconds, timed),
        Point("counter", Metric.RECORD_COUNT, progress.records, tags),
    ):
        # As the SDK does, but with the point in the text too: Meltano would show it without its
        # tags, without the name of the stream.
        logger.info("METRIC: %s", str(point), extra={"metric_info": point.to_dict()})
