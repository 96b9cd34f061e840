"""Tells how far the streams are while they run: lines in the log, or a display on a terminal."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from tap_amazon_business.progress import Report

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tap_amazon_business.clock import Clock, Ticks
    from tap_amazon_business.streams.base import AmazonStream

    # Shows the reports of all streams that run.
    Show = Callable[[Sequence[Report]], None]

SECONDS_BETWEEN_LINES = 30
_SECONDS_BETWEEN_FRAMES = 1

# A stream that waited for a usage plan this share of the time is said to wait for it.
_MOSTLY = 0.5


@contextmanager
def told(streams: Sequence[AmazonStream], clock: Clock, logger: logging.Logger) -> Iterator[None]:
    """Tell how far the streams are, as long as they run: on a terminal, or in the log.

    Args:
        streams: The streams.
        clock: The time.
        logger: The logger whose lines come between those of a display.
    """
    with ExitStack() as stack:
        show = stack.enter_context(_display(logger))
        ticks = clock.every(_SECONDS_BETWEEN_FRAMES if show else SECONDS_BETWEEN_LINES)
        stack.enter_context(watched(streams, show or log, ticks))
        yield


def _display(logger: logging.Logger) -> AbstractContextManager[Show | None]:
    # Records on the same terminal would tear the display.
    if sys.stderr.isatty() and not sys.stdout.isatty():
        with suppress(ModuleNotFoundError):  # rich is an extra: see pyproject.toml
            from tap_amazon_business.terminal import display  # noqa: PLC0415

            return display(sys.stderr, logger)
    return nullcontext()


@contextmanager
def watched(streams: Sequence[AmazonStream], show: Show, ticks: Ticks) -> Iterator[None]:
    """Show with every tick how far the running streams are.

    That happens in a thread of its own, as streams may wait for minutes.
    """

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


def log(reports: Sequence[Report]) -> None:
    """Log a line for each report; of an API that does not answer, the retries tell."""
    for report in reports:
        if not report.silent:
            report.stream.info("%s", report.text())


class _Watched:
    """A stream, and what it had waited and its API answered when it was last looked at."""

    def __init__(self, stream: AmazonStream) -> None:
        self._stream = stream
        self._ran = self._waited = 0.0
        self._answers = 0

    def report(self) -> Report | None:
        """Return how far the stream is; None if it does not run."""
        track, traffic = self._stream.track, self._stream.client.traffic
        ran, waited = track.seconds, traffic.waited
        mostly = waited - self._waited > _MOSTLY * (ran - self._ran)
        self._ran, self._waited = ran, waited
        if not track.is_running:
            return None
        before, self._answers = self._answers, self._stream.client.answers
        return Report(
            self._stream,
            track.records,
            track.place(),
            rate=traffic.rate if mostly else None,
            silent=self._answers == before and not mostly,
        )
