"""The display on a terminal: what it shows, and that lines of the log come through whole."""

from __future__ import annotations

import io
import logging
import re
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from typing_extensions import override

from tap_amazon_business.run.progress import Report
from tap_amazon_business.run.terminal import display

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_amazon_business.streams.base import AmazonStream

ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[\d;]*3\d[\d;]*m")
LONG = "purchase_orders: [bold]" + "a line that is longer than the terminal is wide " * 5 + ":tada:"
REPORT = Report(
    cast("AmazonStream", SimpleNamespace(name="purchase_order_status_items")),
    records=12_800,
    requests=1_234,
    share=0.43,
    left=180,
    rate=10,
)


class Terminal(io.StringIO):
    """A text that says that it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a terminal of a known kind."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def logging_to(terminal: Terminal) -> Iterator[logging.Logger]:
    logger, handler = logging.getLogger("tests.terminal"), logging.StreamHandler(terminal)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    assert handler.stream is terminal


def shown(*lines: str) -> str:
    """Return what a terminal gets of a report, and of lines that are logged meanwhile."""
    terminal = Terminal()
    with logging_to(terminal) as logger, display(terminal, logger) as show:
        assert show
        show([REPORT])
        for line in lines:
            logger.warning("%s", line)
        show([REPORT])
    return terminal.getvalue()


@pytest.mark.parametrize("columns", [60, 80])
def test_a_stream_takes_one_line_of_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    *_, last = ESCAPES.sub("", shown()).split("left")
    assert [bool(line.strip()) for line in last.splitlines()].count(True) == 1
    assert re.search(r"purchase_order_status_items +\S* +43 % +12,800 +1,234 +3 min", last)


def test_shows_each_stream_in_a_row() -> None:
    text = ESCAPES.sub("", shown())
    assert re.search(
        r"purchase_order_status_items +━+\S* +43 % +12,800 +1,234 +3 min +waiting for Amazon", text
    )


def test_a_line_of_the_log_is_written_whole_and_as_it_is() -> None:
    text = shown(LONG, "second")
    assert f"{LONG}\n" in text
    assert "second\n" in text


def test_a_display_goes_in_the_end_and_the_cursor_stays() -> None:
    text = shown()
    assert text.endswith("\x1b[2K")  # the line is erased
    assert "\x1b[?25l" not in text


def test_shows_colours_unless_the_environment_forbids_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert COLOURS.search(shown())
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown()
    assert not COLOURS.search(text)
    assert "43 %" in text


def test_a_terminal_that_cannot_move_its_cursor_has_no_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    with logging_to(terminal) as logger, display(terminal, logger) as show:
        assert show is None
    assert terminal.getvalue() == ""
