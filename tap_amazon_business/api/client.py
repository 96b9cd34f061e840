"""One credential set's client for one API: sign, wait for the limit, send, judge, retry, page."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_amazon_business.api import advice
from tap_amazon_business.api.responses import Action, Verdict, judge
from tap_amazon_business.api.retry import MAX_ATTEMPTS, TransientError, retry
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_amazon_business.api.auth import LoginWithAmazon
    from tap_amazon_business.api.limits import Limiter, TokenBucket
    from tap_amazon_business.api.operations import Operation, Request
    from tap_amazon_business.api.retry import Outage
    from tap_amazon_business.api.transport import Transport
    from tap_amazon_business.clock import Clock

# A next page that is refused this often in a row is not refused in passing.
_MAX_PAGE_REFUSALS = 4

# A list whose page tokens keep being refused starts over this often: tokens may expire, and rows
# that come again are recognised by their keys.
_MAX_RESTARTS = 3

_RUN_AGAIN = "Run the sync again; if it happens again, ask Amazon's support."


class Client:
    """Sends an API's requests, from any number of threads, until each has a response.

    Attributes:
        url: The API's URL.
        prefix: The prefix of the credential set's settings.
        answered: Whether any request succeeded so far.
        failure: Why no request can succeed any more, None if some may.

    Args:
        url: The API's URL.
        prefix: The prefix of the credential set's settings, for messages.
        authenticator: Hands out access tokens.
        region_setting: The setting that decides which accounts the API reads, for messages.
        limiter: Holds the token bucket of each operation.
        transport: Sends HTTP requests.
        outage: Whether the hosts are down.
        clock: The time.
        logger: Gets a line for every retry.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        region_setting: str,
        authenticator: LoginWithAmazon,
        limiter: Limiter,
        transport: Transport,
        outage: Outage,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self.url = url.rstrip("/")
        self.prefix = prefix
        self._region_setting = region_setting
        self._authenticator = authenticator
        self._limiter = limiter
        self._transport = transport
        self._outage = outage
        self._clock = clock
        self._logger = logger
        self._reported: set[str] = set()
        self._down: set[str] = set()  # operations that failed since the last answer
        self.answered = False
        self.failure: RequestFailedError | None = None

    def sign_in(self, *, attempts: int = MAX_ATTEMPTS) -> None:
        """Make sure that there is an access token; raises RequestFailedError if there is none."""
        if self.failure:
            raise self.failure
        try:
            self._authenticator.access_token(attempts=attempts)
        except RequestFailedError as error:
            self.failure = error
            raise

    def rate(self, operation: Operation) -> float:
        """Return the rate that holds for an operation at present, in requests a second."""
        return self._limiter.bucket(operation).rate

    def get_once(self, request: Request) -> dict[str, Any]:
        """Send a request without retries, and return the decoded body.

        Raises:
            RequestFailedError: Amazon refuses the request, or does not answer it.
        """
        try:
            return self._body(request, self._attempt(request))
        except TransientError as error:
            what_to_do = advice.of_trouble(error.status, self.prefix)
            raise RequestFailedError(
                f"{request} did not work: {error.problem}. {what_to_do}", status=error.status
            ) from None

    def get(self, request: Request) -> dict[str, Any]:
        """Send a request and return the decoded body.

        Raises:
            RequestFailedError: Amazon refuses the request, or every attempt failed.
            PageTokenRefusedError: Amazon keeps refusing the page token.
        """
        self.sign_in()
        refusals = 0  # of the page, in a row

        def attempt() -> dict[str, Any]:
            nonlocal refusals
            if self.failure:  # of another thread
                raise self.failure
            verdict = self._attempt(request)
            refusals = refusals + 1 if verdict.action is Action.RETRY_PAGE else 0
            if refusals == _MAX_PAGE_REFUSALS:
                raise PageTokenRefusedError(
                    f"{request}: the next page was refused {refusals} times: {verdict.problem}.",
                    status=verdict.status,
                )
            return self._body(request, verdict)

        try:
            return retry(
                attempt,
                subject=request,
                outage=self._outage,
                clock=self._clock,
                logger=self._logger,
            )
        except TransientError as error:
            raise self._exhausted(request, error) from None

    def pages(self, request: Request) -> Iterator[list[Any]]:
        """Yield the rows of each page, until there is no page token.

        A page may be empty and still carry a token. A list whose page token is refused starts over
        and yields its rows again.

        Raises:
            RequestFailedError: A page failed.
        """
        restarts = 0
        token: str | None = None
        token_alone = False
        known: set[str] = set()
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
                    "%s: Amazon refused the page token; the list starts over", request
                )
                token, token_alone = None, False
                known.clear()
                continue
            rows = request.operation.rows_of(body)
            if rows is None:
                raise RequestFailedError(
                    f"{request} returned HTTP 200, but no list of '{request.operation.rows}'. "
                    f"{_RUN_AGAIN}"
                )
            yield rows
            token = request.operation.page_token_of(body)
            if token is None:
                return
            if token in known:
                raise RequestFailedError(
                    f"{request}: the page tokens repeat, so the list never ends. {_RUN_AGAIN}"
                )
            known.add(token)

    def row(self, request: Request) -> dict[str, Any]:
        """Return the one object that an operation without a list returns.

        Raises:
            RequestFailedError: The request failed, or its body holds no such object.
        """
        row = self.get(request).get(request.operation.rows)
        if not isinstance(row, dict):
            raise RequestFailedError(
                f"{request} returned HTTP 200, but no '{request.operation.rows}'. {_RUN_AGAIN}"
            )
        return row

    def _attempt(self, request: Request) -> Verdict:
        """Send a request, and once more with a new access token if this one was refused.

        A 403 means an expired or revoked access token as well as a missing role.
        """
        token, verdict = self._send(request)
        if verdict.action is Action.RENEW_TOKEN:
            self._logger.info("%s: %s; requesting a new access token", request, verdict.problem)
            self._authenticator.discard(token)
            _, verdict = self._send(request)
        return verdict

    def _body(self, request: Request, verdict: Verdict) -> dict[str, Any]:
        """Return the body of an accepted response, or raise what the verdict says."""
        if verdict.action is Action.ACCEPT:
            self.answered = True
            self._down.clear()
            self._outage.answered()
            if verdict.problem and request.operation.name not in self._reported:
                self._reported.add(request.operation.name)
                self._logger.warning("%s: data came with an error: %s", request, verdict.problem)
            return verdict.body
        if verdict.action in {Action.REFUSE, Action.RENEW_TOKEN}:
            what_to_do = advice.of_refusal(
                request.operation,
                verdict.status,
                prefix=self.prefix,
                region_setting=self._region_setting,
            )
            raise RequestFailedError(
                f"{request} was refused: {verdict.problem}. {what_to_do}", status=verdict.status
            )
        raise TransientError(
            verdict.problem,
            retry_after=verdict.retry_after,
            status=verdict.status,
            outage=verdict.action is Action.RETRY,
        )

    def _send(self, request: Request) -> tuple[str, Verdict]:
        """Take one token of the operation's bucket, send the request once, judge the response.

        Returns:
            The access token that was used, and the verdict.
        """
        bucket = self._limiter.bucket(request.operation)
        # Signing in takes its time: done with a token of the bucket in hand, the request would
        # arrive late and close up with those behind it, which Amazon's bucket does not allow. But
        # an access token may also expire during a long wait for the bucket.
        self._authenticator.access_token()
        bucket.acquire()
        if self.failure:  # of another thread, meanwhile
            raise self.failure
        token = self._authenticator.access_token()
        response = self._transport.get(self.url + request.path, request.query, token)
        verdict = judge(
            response.status,
            response.headers,
            response.content,
            paging=request.page_token is not None,
            secret=token,
        )
        if verdict.action is Action.SLOW_DOWN:
            bucket.refused(verdict.retry_after)
        else:
            bucket.succeeded()
            _retune(bucket, response.headers.get("x-amzn-ratelimit-limit", ""))
        return token, verdict

    def _exhausted(self, request: Request, error: TransientError) -> RequestFailedError:
        problem = f"{request} failed in {error.attempts} attempts: {error.problem}. "
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
        if self._outage.known:
            # One operation that fails is its own trouble; two of them, or no response, are not.
            self._down.add(request.operation.name)
            if error.status is None or len(self._down) > 1:
                self.failure = self.failure or failure
        return self.failure or failure


def _retune(bucket: TokenBucket, announced: str) -> None:
    try:
        rate = float(announced)
    except ValueError:
        return
    if 0 < rate < math.inf:
        bucket.retune(rate)
