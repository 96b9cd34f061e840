"""The errors that end a sync. Messages contain no tokens, secrets, names or e-mail addresses."""

from __future__ import annotations

import logging
from typing import IO, Any

import click
from typing_extensions import override

# Of the tap's name, as the SDK's own.
_LOGGER = logging.getLogger("tap-amazon-business")


class TapError(click.ClickException):
    """An error whose message is all that the user needs: logged without a traceback.

    Attributes:
        cause: What failures for the same reason have in common, None if nothing is known.
    """

    cause: str | None = None

    @override
    def show(self, file: IO[Any] | None = None) -> None:
        # Meltano takes a line that is only printed for information.
        if not _LOGGER.hasHandlers():
            super().show(file)
            return
        for line in self.message.splitlines():
            _LOGGER.error("%s", line)

    def same_as(self, other: TapError) -> bool:
        """Return whether another stream failed for the same reason."""
        return self is other or (self.cause is not None and self.cause == other.cause)


class RequestFailedError(TapError):
    """A request that Amazon refused, or that failed in every attempt.

    Attributes:
        status: The HTTP status of the last response, None if there was none.
        code: Amazon's code of the error, "" if there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        cause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.cause = cause


class PageTokenRefusedError(RequestFailedError):
    """A next page that Amazon keeps refusing: its list has to start over."""
