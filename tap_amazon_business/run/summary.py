"""The summary of a sync: a table for people, and the SDK's METRIC lines for programs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from singer_sdk.metrics import Metric, Point, Status, Tag

from tap_amazon_business.streams.base import AmazonStream

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
