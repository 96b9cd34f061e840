"""One credential set's client for one API: sign, wait for the limit, send, judge, retry, page."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tap_amazon_business.api.responses import Action, Verdict, judge, no_response
from tap_amazon_business.api.retry import MAX_ATTEMPTS, TransientError, retry
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_amazon_business.api.auth import LoginWithAmazon
    from tap_amazon_business.api.limits import Limiter, TokenBucket
    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.clock import Clock

_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)

# A next page that is refused this often in a row is not refused in passing.
_MAX_PAGE_REFUSALS = 4

# A list whose page tokens keep being refused starts over this often: tokens may expire, and rows
# that come again are recognised by their keys.
_MAX_RESTARTS = 3

_RUN_AGAIN = "Run the sync again; if it happens again, ask Amazon's support."


def new_session(user_agent: str, connections: int) -> requests.Session:
    """Return a session that keeps up to `connections` connections open to a host."""
    session = requests.Session()
    session.headers.update({"user-agent": user_agent, "accept": "application/json"})
    session.mount("https://", HTTPAdapter(pool_maxsize=connections))
    session.mount("http://", HTTPAdapter(pool_maxsize=connections))
    return session


class Client:
    """Sends an API's requests, from any number of threads, until each has a response.

    Args:
        url: The API's URL.
        prefix: The prefix of the credential set's settings, for messages.
        authenticator: Hands out access tokens.
        limiter: Holds the token bucket of each operation.
        session: The HTTP session.
        request_timeout: Seconds to wait for a response.
        max_pages: How many pages of a list to read at most, None for all.
        clock: The time.
        logger: Gets a line for every retry.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        authenticator: LoginWithAmazon,
        limiter: Limiter,
        session: requests.Session,
        request_timeout: float,
        max_pages: int | None,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self._url = url.rstrip("/")
        self._prefix = prefix
        self._authenticator = authenticator
        self._limiter = limiter
        self._session = session
        self._request_timeout = request_timeout
        self._max_pages = max_pages
        self._clock = clock
        self._logger = logger

    def get(self, request: Request) -> dict[str, Any]:
        """Send a request and return the decoded body.

        Raises:
            RequestFailedError: Amazon refuses the request, or every attempt failed.
            PageTokenRefusedError: Amazon keeps refusing the page token.
        """
        refusals = 0  # of the page, in a row

        def attempt() -> dict[str, Any]:
            nonlocal refusals
            verdict = self._attempt(request)
            refusals = refusals + 1 if verdict.action is Action.RETRY_PAGE else 0
            if refusals == _MAX_PAGE_REFUSALS:
                raise PageTokenRefusedError(
                    f"{request}: the next page was refused {refusals} times: {verdict.problem}.",
                    status=verdict.status,
                )
            return self._body(request, verdict)

        try:
            return retry(attempt, subject=request, clock=self._clock, logger=self._logger)
        except TransientError as error:
            raise RequestFailedError(
                f"{request} failed in {MAX_ATTEMPTS} attempts; the last one: {error.problem}. "
                "Everything finished so far is bookmarked: run the sync again once the API "
                f"answers (network, proxy, {self._prefix}_url).",
                status=error.status,
            ) from None

    def pages(self, request: Request) -> Iterator[list[Any]]:
        """Yield the rows of each page, until there is no page token.

        A page may be empty and still carry a token. A list whose page token is refused starts over
        and yields its rows again.

        Raises:
            RequestFailedError: A page failed.
        """
        restarts = number = 0
        token: str | None = None
        known: set[str] = set()
        while True:
            number += 1
            try:
                body = self.get(request.page(token))
            except PageTokenRefusedError:
                if restarts == _MAX_RESTARTS:
                    raise
                restarts += 1
                self._logger.warning(
                    "%s: Amazon refused the page token; the list starts over", request
                )
                token = None
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
            if token is None or number == self._max_pages:
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
            return verdict.body
        if verdict.action in {Action.REFUSE, Action.RENEW_TOKEN}:
            raise RequestFailedError(
                f"{request} was refused: {verdict.problem}. {self._advice(request, verdict)}",
                status=verdict.status,
            )
        raise TransientError(
            verdict.problem, retry_after=verdict.retry_after, status=verdict.status
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
        token = self._authenticator.access_token()
        try:
            response = self._session.get(
                self._url + request.path,
                params=request.query,
                auth=_AccessToken(token),
                timeout=self._request_timeout,
                # A redirect would carry the access token to a host of somebody else's choice.
                allow_redirects=False,
                # Reading the body at once is cheaper than in the small pieces of requests.
                stream=True,
            )
            content = response.raw.read(decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return token, no_response(f"no response from {self._url} ({type(error).__name__})")
        verdict = judge(
            response.status_code,
            response.headers,
            content,
            paging=request.page_token is not None,
            secret=token,
        )
        if verdict.action is Action.SLOW_DOWN:
            bucket.refused(verdict.retry_after)
        else:
            bucket.succeeded()
            _retune(bucket, response.headers.get("x-amzn-ratelimit-limit", ""))
        return token, verdict

    def _advice(self, request: Request, verdict: Verdict) -> str:
        if verdict.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return (
                "A new access token was refused, too: the application of "
                f"{self._prefix}_client_id lacks the role {request.operation.role}, or "
                f"{self._prefix}_refresh_token was issued before that role was granted. Grant the "
                "role and authorize the application again."
            )
        if verdict.status == HTTPStatus.BAD_REQUEST:
            return (
                "Check start_date and end_date against what the operation reads, the filter "
                "settings against what this account may ask for, and this machine's clock: if it "
                "is minutes ahead, it asks for the future."
            )
        if verdict.status in _REDIRECTS:
            return f"The tap does not follow redirects; check {self._prefix}_url."
        return "Retrying will not help; send the request id to Amazon's support."


class _AccessToken(requests.auth.AuthBase):
    """Signs a request; being its auth also keeps requests from adding what .netrc holds."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-amz-access-token"] = self._token
        return request


def _retune(bucket: TokenBucket, announced: str) -> None:
    try:
        rate = float(announced)
    except ValueError:
        return
    if 0 < rate < math.inf:
        bucket.retune(rate)
