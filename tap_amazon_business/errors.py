"""What ends a sync, said plainly. No message holds a token, a secret, a name or an e-mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import logging

_E_MAIL = re.compile(r"""("[^"]*"|[^\s@<>"']*)(@|%40)[^\s<>"']+""")


def scrub(message: str) -> str:
    """Return a message without the e-mail addresses in it."""
    return _E_MAIL.sub("(e-mail)", message)


def scrub_record(record: logging.LogRecord) -> bool:
    """Take the e-mail addresses out of a line of a log: a filter for loggers of others."""
    record.msg, record.args = scrub(record.getMessage()), ()
    return True


class TapError(click.ClickException):
    """An error whose message is all that the user needs: printed without a traceback."""


class RequestFailedError(TapError):
    """A request that Amazon refused for good, or that did not succeed in all its tries.

    Attributes:
        status: The HTTP status of the last answer, None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PageTokenRefusedError(RequestFailedError):
    """A next page that Amazon keeps refusing: its list has to be begun again."""
