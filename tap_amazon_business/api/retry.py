"""Retries: how many attempts, how long to wait in between, when to give up on a whole API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import backoff

from tap_amazon_business.api.operations import Request
from tap_amazon_business.api.responses import advice_on_failure
from tap_amazon_business.clock import Clock
from tap_amazon_business.errors import RequestFailedError

T = TypeVar("T")

# Five attempts fail about one long sync in ten on a bad day. Eight, with waits of at most
# 1 + 2 + 4 + 8 + 16 + 32 + 60 seconds, bridge an outage of a minute.
MAX_ATTEMPTS = 8
_LONGEST_WAIT = 60

# Seconds that a request may spend on waits and without a response.
_LONGEST_TROUBLE = 115

# Once a host is known to be down, a request without a response is not repeated; one with an error
# has a few attempts, as another operation may work.
_ATTEMPTS_WHILE_DOWN = 3

# Seconds between two lines about what is waited for.
_SECONDS_BETWEEN_LINES = 30

# Seconds in which the same problem of other requests is not logged again.
_QUIET = 15


class TransientError(Exception):
    """An attempt that failed in a way that may pass.

    Attributes:
        problem: What went wrong, for log lines.
        retry_after: Seconds that the server asks to wait, 0 if it asks for none.
        status: The HTTP status, None if there was no response.
        outage: Whether it means that the host does not work, for any request.
        seconds: How long the attempt waited for a response that did not come.
        attempts: How many attempts failed, once no more follow.
    """

    def __init__(
        self,
        problem: str,
        *,
        retry_after: float = 0,
        status: int | None = None,
        outage: bool = False,
        seconds: float = 0,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.status = status
        self.outage = outage
        self.seconds = seconds
        self.attempts = 1


class Outage:
    """Outage detector of the hosts; all clients of a tap share one.

    Attributes:
        known: Whether a request was given up and none was answered since it began to fail.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[Hashable, tuple[object, float]] = {}
        self.answers = 0
        self.known = False

    def answered(self) -> None:
        """Record that an API answered; that Login with Amazon does is no sign that an API does."""
        self.answers += 1
        self.known = False

    def given_up(self, answers: int) -> None:
        """Record that a request was given up; so many were answered when it began to fail."""
        self.known = self.known or answers == self.answers

    def is_news(self, problem: Hashable, subject: object) -> bool:
        """Return whether to log a problem: of one request each time, of all others now and then."""
        with self._lock:
            now = self._clock.monotonic()
            other, logged_at = self._logged.get(problem, (subject, now))
            if other is not subject and now - logged_at < _QUIET:
                return False
            self._logged[problem] = (subject, now)
            return True


@dataclass(frozen=True)
class Retrier:
    """Repeats the attempts of an API's requests.

    Attributes:
        outage: Whether the hosts are down.
        clock: The time.
        logger: Gets a warning before a wait, once for what many requests have in common.
    """

    outage: Outage
    clock: Clock
    logger: logging.Logger

    def run(
        self,
        attempt: Callable[[], T],
        subject: object,
        *,
        attempts: int = MAX_ATTEMPTS,
        patience: Patience | None = None,
    ) -> T:
        """Return what an attempt returns, repeated while it fails in a way that may pass.

        Args:
            attempt: Called up to `attempts` times. Any other error of its ends the loop.
            subject: What is attempted, for log lines.
            attempts: How many attempts to make at most.
            patience: The waits of the request, where its attempts wait, too.

        Raises:
            TransientError: The last attempt failed, too.
        """
        outage, spent, answers = self.outage, 0.0, self.outage.answers
        patience = patience or Patience(subject, self)
        for number, wait in enumerate(waits(), start=1):
            try:
                return attempt()
            except TransientError as error:
                spent += error.seconds
                enough = 1 if error.status is None else _ATTEMPTS_WHILE_DOWN
                hopeless = spent > _LONGEST_TROUBLE or (outage.known and number >= enough)
                error.attempts = number
                if number == attempts or (error.outage and hopeless):
                    if error.outage:
                        outage.given_up(answers)
                    raise
                pause = max(wait, error.retry_after)
                problem = (self.logger.name, error.status or error.problem)
                common = error.outage or error.status == HTTPStatus.TOO_MANY_REQUESTS
                news = not common or outage.is_news(problem, subject)
                self.logger.log(
                    logging.WARNING if news else logging.DEBUG,
                    "%s: %s; attempt %d of %d, retrying in %.1f s",
                    subject,
                    error.problem,
                    number,
                    attempts,
                    pause,
                )
                if not error.retry_after:
                    self.clock.sleep(pause)
                elif not patience.wait(pause):
                    error.problem += f"; the server asks to wait at least {error.retry_after:.0f} s"
                    raise
                spent += pause
        raise AssertionError  # waits() has no end


class Patience:
    """The waits of one request: logged as they go, and over where the sync can only wait."""

    def __init__(self, subject: object, retrier: Retrier) -> None:
        self._subject = subject
        self._retrier = retrier
        self._answers = retrier.outage.answers
        self._waited = 0.0  # since an API answered

    def wait(self, seconds: float) -> bool:
        """Wait; return False, maybe early, if no API answers anything meanwhile."""
        left, outage, logger = seconds, self._retrier.outage, self._retrier.logger
        while left > 0:
            if self._answers != outage.answers:
                self._answers, self._waited = outage.answers, 0.0
            if max(self._waited, left * outage.known) > _LONGEST_TROUBLE:
                outage.given_up(self._answers)
                return False
            piece = min(left, _SECONDS_BETWEEN_LINES)
            self._retrier.clock.sleep(piece)
            self._waited, left = self._waited + piece, left - piece
            if left > 0 and outage.is_news(("wait", logger.name), self._subject):
                logger.info(
                    "%s: waiting %.0f s more, as the server asks (Retry-After)", self._subject, left
                )
        return True


def waits(jitter: Callable[[float], float] = backoff.full_jitter) -> Iterator[float]:
    """Yield the seconds to wait after the first attempt, the second, and so on, without end."""
    growing = backoff.expo(base=2, factor=1, max_value=_LONGEST_WAIT)
    next(growing)  # backoff's generators begin with an empty step
    for longest in growing:
        yield jitter(longest)


# ---- whether the API works -----------------------------------------------------------------------


class Health:
    """Health of an API, as all requests of a credential set have found it.

    Attributes:
        prefix: The prefix of the credential set's settings.
        answers: How many requests succeeded so far.
        failure: Why no request can succeed any more, None if some may.
        outage: Whether the hosts are down.
    """

    def __init__(self, prefix: str, outage: Outage) -> None:
        self.outage = outage
        self.answers = 0
        self.failure: RequestFailedError | None = None
        self.prefix = prefix
        self._down: set[str] = set()  # operations that failed since the last answer
        self._answered: set[str] = set()  # operations
        self._reported: set[str] = set()

    def check(self) -> None:
        """Raise the failure of another thread, if there is one."""
        if self.failure:
            raise self.failure

    def succeeded(self, request: Request) -> None:
        """Record that a request was answered."""
        self._answered.add(request.operation.name)
        self.answers += 1
        self._down.clear()
        self.outage.answered()

    def has_answered(self, request: Request) -> bool:
        """Return whether a request of the same operation succeeded before."""
        return request.operation.name in self._answered

    def failed(self, failure: RequestFailedError) -> None:
        """Record that no request can succeed any more; the first reason counts."""
        self.failure = self.failure or failure

    def is_news(self, operation: str) -> bool:
        """Return whether an operation's oddity was not reported before."""
        news = operation not in self._reported
        self._reported.add(operation)
        return news

    def exhausted(self, request: Request, error: TransientError) -> RequestFailedError:
        """Return the failure of a request whose attempts all failed."""
        tries = f"{error.attempts} attempts" if error.attempts > 1 else "one attempt"
        problem = f"{request} failed in {tries}: {error.problem}. "
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return RequestFailedError(
                problem + advice_on_failure(error.status, self.prefix), status=error.status
            )
        problem += (
            "Everything finished so far is bookmarked: run the sync again once the API answers "
            f"(network, proxy, {self.prefix}_url)."
        )
        cause = f"{self.prefix}: {error.status or error.problem}" if error.outage else None
        failure = RequestFailedError(problem, status=error.status, cause=cause)
        if self.outage.known:
            # One operation that fails is its own trouble; two of them, or no response, are not.
            self._down.add(request.operation.name)
            if error.status is None or len(self._down) > 1:
                self.failed(failure)
        return self.failure or failure
