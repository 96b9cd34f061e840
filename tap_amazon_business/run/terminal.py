"""A live display of the progress on a terminal; the only module that needs rich."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from typing_extensions import override

if TYPE_CHECKING:
    from tap_amazon_business.run.progress import Report

_BAR_WIDTH = 20


@contextmanager
def display(
    stream: IO[str], logger: logging.Logger
) -> Iterator[Callable[[Sequence[Report]], None] | None]:
    """Show a table at the bottom of a terminal, below the lines of the log, and remove it at last.

    Args:
        stream: The terminal.
        logger: The logger whose handlers, and those above, write to it.

    Yields:
        What shows reports in the table; None if the terminal cannot move its cursor.
    """
    console = _Console(file=stream)
    if console.is_dumb_terminal:
        yield None
        return
    live = Live(
        console=console,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
        transient=True,
    )
    above = cast("IO[str]", _Above(console))
    handlers = [handler for handler in _handlers(logger) if handler.stream is stream]
    for handler in handlers:
        handler.setStream(above)
    try:
        with live:
            live.update(table([]), refresh=True)
            yield lambda reports: live.update(table(reports), refresh=True)
    finally:
        for handler in handlers:
            handler.setStream(stream)


def table(reports: Sequence[Report]) -> Table:
    """Return what the terminal shows."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("stream", no_wrap=True)
    shown.add_column("", max_width=_BAR_WIDTH)
    for heading in ("", "records", "requests", "left"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("")  # on a narrow terminal, the one that gives way
    for report in reports:
        share = report.share
        shown.add_row(
            report.stream.name,
            "" if share is None else ProgressBar(completed=100 * share),
            "" if share is None else f"{int(100 * share)} %",
            f"{report.records:,}",
            f"{report.requests:,}",
            report.time_left,
            Text(report.limit, no_wrap=True, overflow="ellipsis"),
        )
    return shown


class _Console(Console):
    """A console that leaves the cursor visible: a tap that is killed cannot bring it back."""

    @override
    def show_cursor(self, show: bool = True) -> bool:
        return False


class _Above(io.TextIOBase):
    """Writes lines above the display, as they are: neither wrapped nor coloured."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @override
    def write(self, text: str) -> int:
        self._console.print(Text(text.removesuffix("\n")), soft_wrap=True)
        return len(text)


def _handlers(logger: logging.Logger | None) -> Iterator[logging.StreamHandler[IO[str]]]:
    while logger:
        yield from (h for h in logger.handlers if isinstance(h, logging.StreamHandler))
        logger = logger.parent
