"""The errors that end a sync. No message holds a token, a secret, a name or an e-mail address."""

from __future__ import annotations

import click


class TapError(click.ClickException):
    """An error whose message is all that the user needs: printed without a traceback."""


class RequestFailedError(TapError):
    """A request that Amazon refused, or that failed in every attempt.

    Attributes:
        status: The HTTP status of the last response, None if there was none.
        common: Whether every other request of the same client fails, too.
    """

    def __init__(self, message: str, *, status: int | None = None, common: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.common = common


class PageTokenRefusedError(RequestFailedError):
    """A next page that Amazon keeps refusing: its list has to start over."""
