"""One credential set's client for one API: get a token, wait, send, judge, retry, page."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tap_amazon_business.api.auth import LoginWithAmazon
from tap_amazon_business.api.limits import Limiter, TokenBucket
from tap_amazon_business.api.operations import Operation, Request
from tap_amazon_business.api.responses import (
    Action,
    Verdict,
    advice_on_failure,
    advice_on_refusal,
    judge,
)
from tap_amazon_business.api.retry import MAX_ATTEMPTS, Health, Patience, Retrier, TransientError
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.clock import Clock, Stopwatch
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tap_amazon_business.records.decoding import Rows

# After this many refusals in a row, a page token, or an access token that was accepted before,
# counts as refused for good.
_MAX_REFUSALS = 4

# A list with this many pages in a row without a new row is treated as endless.
_MAX_IDLE_PAGES = 200

# How often a list may start over because its page tokens are refused: tokens may expire, and rows
# that come again are recognised by a hash of their content.
_MAX_RESTARTS = 3

_RUN_AGAIN = "Run the sync again; if it happens again, ask Amazon's support."


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API with one credential set, as all of its clients share it.

    Attributes:
        url: The API's URL.
        prefix: The prefix of the credential set's settings.
        region_setting: The setting that decides which accounts the API reads, for messages.
        authenticator: Hands out access tokens.
        limiter: Holds the token bucket of each operation.
        transport: Sends HTTP requests.
        most: How many requests of one client are in flight at most.
        health: Whether the API works, as all clients of the credential set know.
        retrier: Repeats attempts.
    """

    url: str
    prefix: str
    region_setting: str
    authenticator: LoginWithAmazon
    limiter: Limiter
    transport: Transport
    most: int
    health: Health
    retrier: Retrier


class Traffic:
    """Counts a client's requests, from any number of threads; those that sign in do not count.

    Attributes:
        requests: How many requests were sent, retries included.
        retries: How many of them repeated one that was not accepted.
        rate: The rate that a request waited for last, in requests a second; None if none did.
    """

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._waits = Stopwatch(clock)
        self.requests = 0
        self.retries = 0
        self.rate: float | None = None

    def sent(self, *, again: bool) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.retries += again

    @contextmanager
    def waiting(self, rate: float) -> Iterator[None]:
        """Measure a wait for a usage plan of so many requests a second."""
        self.rate = rate
        with self._waits:
            yield

    @property
    def waited(self) -> float:
        """The seconds in which at least one request waited for Amazon's usage plan."""
        return self._waits.seconds


class Client:
    """Sends one stream's requests, from any number of threads, until each has a response."""

    def __init__(self, api: Api) -> None:
        self.url = api.url
        self.prefix = api.prefix
        self.traffic = Traffic(api.retrier.clock)
        self._api = api
        self._health = api.health
        self._authenticator = api.authenticator
        self._logger = api.retrier.logger
        self._closed = False
        self._in_flight = threading.Semaphore(api.most)

    def open(self) -> None:
        """Let requests be sent again."""
        self._closed = False

    def close(self) -> None:
        """Send no further request: its stream has ended, and threads may still be running."""
        self._closed = True

    @property
    def answers(self) -> int:
        """The number of requests of the credential set that succeeded so far."""
        return self._health.answers

    @property
    def failure(self) -> RequestFailedError | None:
        """Why no request of the credential set can succeed any more, None if some may."""
        return self._health.failure

    def sign_in(self, *, attempts: int = MAX_ATTEMPTS) -> None:
        """Make sure that there is an access token; raises RequestFailedError if there is none."""
        self._health.check()
        try:
            self._authenticator.access_token(attempts=attempts)
        except RequestFailedError as error:
            self._health.failed(error)
            raise

    def rate(self, operation: Operation) -> float:
        """Return the current rate of an operation, in requests a second."""
        return self._api.limiter.bucket(operation).rate

    def get_once(self, request: Request) -> dict[str, Any]:
        """Send a request without retries, and return the body, as `get` does.

        Raises:
            RequestFailedError: Amazon refuses the request, or does not answer it.
        """
        try:
            patience = Patience(request, self._api.retrier)
            return self._body(request, self._attempt(request, patience, again=False))
        except TransientError as error:
            what_to_do = advice_on_failure(error.status, self.prefix)
            raise RequestFailedError(
                f"{request} did not work: {error.problem}. {what_to_do}", status=error.status
            ) from None

    def get(self, request: Request) -> dict[str, Any]:
        """Send a request and return the decoded body; its list of rows, if any, is `Rows`.

        Raises:
            RequestFailedError: Amazon refuses the request, or every attempt failed.
            PageTokenRefusedError: Amazon keeps refusing the page token.
        """
        self.sign_in()
        refusals = 0  # in a row
        again = False
        patience = Patience(request, self._api.retrier)

        def attempt() -> dict[str, Any]:
            nonlocal refusals, again
            self._check()
            again, repeats = True, again
            verdict = self._attempt(request, patience, again=repeats)
            refused = verdict.action in {Action.RETRY_PAGE, Action.RENEW_TOKEN}
            refusals = refusals + 1 if refused else 0
            final = refusals == _MAX_REFUSALS
            if final and verdict.action is Action.RETRY_PAGE:
                raise PageTokenRefusedError(
                    f"{request}: the next page was refused {refusals} times: {verdict.problem}.",
                    status=verdict.status,
                )
            return self._body(request, verdict, final=final)

        try:
            return self._api.retrier.run(attempt, request, patience=patience)
        except TransientError as error:
            raise self._health.exhausted(request, error) from None

    def pages(self, request: Request) -> Iterator[Rows]:
        """Yield the rows of each page, until there is no page token; they are decoded when needed.

        A page may be empty and still carry a token. A list whose page token is refused restarts
        and yields its rows again.

        Raises:
            RequestFailedError: A page failed.
        """
        restarts = 0
        token: str | None = None
        token_alone = False
        known: set[str] = set()
        idle, before = 0, list[Any]()
        while True:
            try:
                body = self.get(request.page(token, alone=token_alone))
            except PageTokenRefusedError:
                if request.operation.token_alone and not token_alone:
                    token_alone = True
                    continue
                if restarts == _MAX_RESTARTS:
                    raise
                restarts += 1
                self._logger.warning(
                    "%s: Amazon refused the page token; restarting from the first page", request
                )
                token, token_alone = None, False
                known.clear()
                continue
            rows = request.operation.rows_of(body) or Rows([])
            found = [*rows.json()]
            idle = idle + 1 if found in ([], before) else 0
            before = found
            yield rows
            token = request.operation.page_token_of(body)
            if token is None:
                return
            if token in known:
                raise RequestFailedError(
                    f"{request}: the page tokens repeat, so the list never ends. {_RUN_AGAIN}"
                )
            if idle == _MAX_IDLE_PAGES:
                raise RequestFailedError(
                    f"{request}: {idle} pages in a row without a new row, each with the token of "
                    f"another page, so the list never ends. {_RUN_AGAIN}"
                )
            known.add(token)

    def row(self, request: Request) -> dict[str, Any]:
        """Return the one object that an operation without a list returns.

        Raises:
            RequestFailedError: The request failed.
        """
        row: dict[str, Any] = self.get(request)[request.operation.rows]
        return row

    def _check(self) -> None:
        if self._closed:
            raise RequestFailedError("The stream has ended.")
        self._health.check()

    def _attempt(self, request: Request, patience: Patience, *, again: bool) -> Verdict:
        """Send a request, and once more with a new access token if this one was refused.

        A 403 means an expired or revoked access token as well as a missing role.
        """
        token, verdict = self._send(request, patience, again=again)
        if verdict.action is Action.RENEW_TOKEN:
            self._logger.info("%s: %s; requesting a new access token", request, verdict.problem)
            self._authenticator.discard(token)
            _, verdict = self._send(request, patience, again=True)
        return verdict

    def _body(self, request: Request, verdict: Verdict, *, final: bool = True) -> dict[str, Any]:
        """Return the body of an accepted response, or raise what the verdict says.

        Args:
            request: The request.
            verdict: The verdict.
            final: Whether an access token that is refused now is refused for good, although others
                were accepted before.
        """
        if verdict.action is Action.ACCEPT:
            if not request.operation.has_rows(verdict.body):
                # On a bad day Amazon answers so now and then, with data at the next attempt.
                problem = f"HTTP 200 without '{request.operation.rows}'"
                raise TransientError(problem, status=verdict.status)
            self._health.succeeded(request)
            if verdict.problem and self._health.is_news(request.operation.name):
                self._logger.warning("%s: data came with an error: %s", request, verdict.problem)
            return verdict.body
        # An operation that answered before has its role: Amazon refuses it in passing.
        final = final or not self._health.has_answered(request)
        if verdict.action is Action.REFUSE or (verdict.action is Action.RENEW_TOKEN and final):
            what_to_do = advice_on_refusal(
                request.operation,
                verdict.status,
                prefix=self.prefix,
                region_setting=self._api.region_setting,
            )
            raise RequestFailedError(
                f"{request} was refused: {verdict.problem}. {what_to_do}",
                status=verdict.status,
                code=verdict.code,
            )
        raise TransientError(
            verdict.problem,
            retry_after=verdict.retry_after,
            status=verdict.status,
            outage=verdict.action is Action.RETRY,
        )

    def _send(self, request: Request, patience: Patience, *, again: bool) -> tuple[str, Verdict]:
        """Take one token of the operation's bucket, send the request once, judge the response.

        Returns:
            The access token that was used, and the verdict.
        """
        bucket = self._api.limiter.bucket(request.operation)
        # Sign in before taking a token from the bucket: signing in afterwards would delay this
        # request until the next ones catch up, and Amazon would refuse the burst. Sign in again
        # afterwards, since the access token may expire during a long wait for the bucket.
        self._authenticator.access_token()
        with self.traffic.waiting(bucket.rate):
            if not bucket.acquire(patience.wait):
                status = HTTPStatus.TOO_MANY_REQUESTS
                raise TransientError(f"HTTP {status.value}: Amazon asks to wait", status=status)
        self._check()  # another thread may have failed meanwhile
        token = self._authenticator.access_token()
        self.traffic.sent(again=again)
        with self._in_flight:
            response = self._api.transport.send(self.url, request, token)
        verdict = judge(
            response.status,
            response.headers,
            response.content,
            paging=request.page_token is not None,
            secret=token,
            decoder=request.operation.decode_page,
        )
        if verdict.action is Action.SLOW_DOWN:
            bucket.refused(verdict.retry_after)
        else:
            bucket.succeeded()
            _retune(bucket, response.headers.get("x-amzn-ratelimit-limit", ""))
        return token, verdict


def _retune(bucket: TokenBucket, announced: str) -> None:
    try:
        rate = float(announced)
    except ValueError:
        return
    if 0 < rate < math.inf:
        bucket.retune(rate)
