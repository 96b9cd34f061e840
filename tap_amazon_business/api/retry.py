"""How often a request is attempted, and how long to wait in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import backoff

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from tap_amazon_business.clock import Clock

T = TypeVar("T")

# Five attempts fail about one long sync in ten on a bad day. Eight, with waits of at most
# 1 + 2 + 4 + 8 + 16 + 32 + 60 seconds, bridge an outage of a minute and end within about two
# minutes, plus what the requests themselves take to time out.
MAX_ATTEMPTS = 8
_LONGEST_WAIT = 60


class TransientError(Exception):
    """An attempt that failed in a way that may pass.

    Attributes:
        problem: What went wrong, for log lines.
        retry_after: Seconds that the server asks to wait, 0 if it asks for none.
        status: The HTTP status, None if there was no response.
    """

    def __init__(self, problem: str, *, retry_after: float = 0, status: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.status = status


def retry(attempt: Callable[[], T], *, subject: object, clock: Clock, logger: logging.Logger) -> T:
    """Return what an attempt returns, repeated while it fails in a way that may pass.

    Args:
        attempt: Called up to `MAX_ATTEMPTS` times. Any other error of its ends the loop.
        subject: What is attempted, for log lines.
        clock: The time.
        logger: Gets a warning before each wait.

    Raises:
        TransientError: The last attempt failed, too.
    """
    for number, wait in enumerate(waits(), start=1):
        try:
            return attempt()
        except TransientError as error:
            if number == MAX_ATTEMPTS:
                raise
            pause = max(wait, error.retry_after)
            logger.warning(
                "%s: %s; attempt %d of %d, retrying in %.1f s",
                subject,
                error.problem,
                number,
                MAX_ATTEMPTS,
                pause,
            )
            clock.sleep(pause)
    raise AssertionError  # waits() has no end


def waits(jitter: Callable[[float], float] = backoff.full_jitter) -> Iterator[float]:
    """Yield the seconds to wait after the first attempt, the second, and so on, without end."""
    growing = backoff.expo(base=2, factor=1, max_value=_LONGEST_WAIT)
    next(growing)  # backoff's generators begin with an empty step
    for longest in growing:
        yield jitter(longest)
