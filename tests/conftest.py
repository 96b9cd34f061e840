"""Fixtures of all tests, and the search for secrets after each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import click
import pytest

from tests.support.clocks import FakeClock
from tests.support.leaks import leaks
from tests.support.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator


def pytest_configure() -> None:
    """Leave out what is logged by the thousand and is not the tap's."""
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # At level DEBUG, a line for every field of every schema.
    logging.getLogger("singer_sdk.singerlib.catalog").setLevel(logging.INFO)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no module that cannot have a test with the one mark that is asked for."""
    mark = config.option.markexpr
    if not mark.isidentifier() or collection_path.suffix != ".py":
        return None
    return mark not in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left with it at the end."""
    long = ("tests/examples/", "tests/warehouses/")
    items.sort(key=lambda item: not item.nodeid.startswith(long))


@pytest.fixture(autouse=True)
def nothing_leaks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Search the log at level DEBUG, and the text of every error, raised or not, for secrets."""
    errors: list[str] = []
    make = click.ClickException.__init__

    def remember(error: click.ClickException, message: str) -> None:
        errors.append(message)
        make(error, message)

    # What the tap raises for users to read are errors of click.
    monkeypatch.setattr(click.ClickException, "__init__", remember)
    yield
    said = [text for phase in ("setup", "call") for text in _formatted(caplog, phase)]
    found = leaks("\n".join([*errors, *said]))
    assert not found, f"leaked: {sorted(found)}"


def _formatted(caplog: pytest.LogCaptureFixture, phase: Literal["setup", "call"]) -> list[str]:
    return [caplog.handler.format(record) for record in caplog.get_records(phase)]


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that the tap and a simulator may share."""
    return FakeClock()


@pytest.fixture(scope="module")
def tidy() -> Iterator[Simulator]:
    """Serve a few orders without oddities or limits, for tests that change nothing."""
    with serve(orders=30, quirks=False) as simulator:
        yield simulator
