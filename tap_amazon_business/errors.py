"""The errors that end a sync. No message holds a token, a secret, a name or an e-mail address."""

from __future__ import annotations

import click


class TapError(click.ClickException):
    """An error whose message is all that the user needs: printed without a traceback.

    Attributes:
        cause: What failures for the same reason have in common, None if nothing is known.
    """

    cause: str | None = None

    def same_as(self, other: TapError) -> bool:
        """Return whether another stream failed for the same reason."""
        return self is other or (self.cause is not None and self.cause == other.cause)


class RequestFailedError(TapError):
    """A request that Amazon refused, or that failed in every attempt.

    Attributes:
        status: The HTTP status of the last response, None if there was none.
        code: Amazon's code of the error, "" if the body holds none.
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
