"""One sync in this process, with all that anybody logged, down to DEBUG."""

from __future__ import annotations

import io
import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tests.support.runs import Run, TapAmazonBusiness, captured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clocks import FakeClock

_NOBODY = logging.NullHandler()


def sync(
    clock: FakeClock,
    config: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Run:
    """Sync by an injected clock; an error that the tap does not expect ends the run, too."""
    status = 0
    with _everything_logged() as log, captured() as output:
        try:
            tap = TapAmazonBusiness(config=config, state=state, catalog=catalog, clock=clock)
            tap.sync_all()
        except click.ClickException as error:
            status = error.exit_code
            log.write("".join(traceback.format_exception(error)))
        except Exception as error:  # noqa: BLE001 (whatever ends the tap is to be reported)
            status = 70
            log.write("Unexpected: " + "".join(traceback.format_exception(error)))
    return Run(status, output.getvalue().decode(), log.getvalue())


@contextmanager
def _everything_logged() -> Iterator[io.StringIO]:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    loggers = [logging.getLogger(), logging.getLogger(TapAmazonBusiness.name)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    # A thread may outlive its sync by a request: what it says then is not for the screen.
    loggers[0].addHandler(_NOBODY)
    try:
        yield log
    finally:
        loggers[0].removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
