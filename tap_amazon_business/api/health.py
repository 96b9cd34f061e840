"""Whether an API works, judged by all requests of a credential set."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_amazon_business.api import advice
from tap_amazon_business.errors import RequestFailedError

if TYPE_CHECKING:
    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.api.retry import Outage, TransientError


class Health:
    """What all requests of a credential set have found out about their API.

    Attributes:
        prefix: The prefix of the credential set's settings.
        answers: How many requests succeeded so far.
        failure: Why no request can succeed any more, None if some may.
        outage: Whether the hosts are down.

    Args:
        prefix: The prefix of the credential set's settings, for messages.
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
                problem + advice.of_trouble(error.status, self.prefix), status=error.status
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
