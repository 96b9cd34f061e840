"""One credential set's way to one API: limiter, access token, session, verdict, retry."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError, scrub
from tap_amazon_business.responses import Action, Verdict, judge, no_response
from tap_amazon_business.retry import MAX_PAGE_TRIES, MAX_TRIES, waits

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from tap_amazon_business.auth import LoginWithAmazon
    from tap_amazon_business.clock import Clock
    from tap_amazon_business.limits import Limiter

_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)
_LONGEST_ABOUT = 200
_RETRIED = frozenset({Action.RETRY, Action.RETRY_PAGE, Action.SLOW_DOWN})


@dataclass(frozen=True)
class Request:
    """One GET request of an operation.

    Attributes:
        operation: Amazon's name of the operation.
        path: The path, completely encoded.
        params: Query parameters, not encoded.
        kind: What is asked by: a kind of date, a region, a number.
        about: The window or the number asked for; with the kind it names the request in messages.
        role: The role an application needs for the operation.
        paging: Whether a page token is among the parameters.
    """

    operation: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    about: str = ""
    role: str = ""
    paging: bool = False

    def page(self, parameter: str, token: str) -> Request:
        """Return the request for the next page: the same parameters, and the token."""
        params = {**self.params, parameter: token}
        return replace(self, params=params, paging=True)

    @override
    def __str__(self) -> str:
        # Buyers type purchase order numbers as they like, e-mail addresses too.
        about = self.about[:_LONGEST_ABOUT]
        return scrub(f"{self.operation} ({f'{self.kind} {about}'.strip()})")


def new_session(user_agent: str, connections: int) -> requests.Session:
    """Return a session that keeps up to `connections` connections open to a host."""
    session = requests.Session()
    session.headers.update({"user-agent": user_agent, "accept": "application/json"})
    session.mount("https://", HTTPAdapter(pool_maxsize=connections))
    session.mount("http://", HTTPAdapter(pool_maxsize=connections))
    return session


class Connection:
    """Sends an API's requests, from any number of threads, until each has an answer."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        authenticator: LoginWithAmazon,
        limiter: Limiter,
        session: requests.Session,
        timeout: float,
        parallel: int,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self.prefix = prefix
        self.parallel = parallel
        self._url = url.rstrip("/")
        self._authenticator = authenticator
        self._limiter = limiter
        self._session = session
        self._timeout = timeout
        self._clock = clock
        self._logger = logger

    def get(self, request: Request) -> dict[str, Any]:
        """Send a request and return the decoded body.

        Raises:
            RequestFailedError: Amazon refuses the request, or every try failed.
            PageTokenRefusedError: Amazon keeps refusing the page token.
        """
        token_renewed = False
        tries = page_tries = 0
        waiting = waits()
        while True:
            token, verdict = self._attempt(request)
            if verdict.action is Action.ACCEPT:
                return verdict.body
            if verdict.action is Action.RENEW_TOKEN and not token_renewed:
                # The same 403 means an expired or revoked token as well as a missing role.
                self._logger.info("%s: %s; asking for a new access token", request, verdict.problem)
                self._authenticator.discard(token)
                token_renewed = True
                continue
            tries += 1
            page_tries = page_tries + 1 if verdict.action is Action.RETRY_PAGE else 0
            if verdict.action not in _RETRIED:
                raise self._refusal(request, verdict)
            if page_tries == MAX_PAGE_TRIES:
                raise PageTokenRefusedError(
                    f"{request}: the next page was refused {page_tries} times: {verdict.problem}.",
                    status=verdict.status,
                )
            if tries == MAX_TRIES:
                raise self._exhausted(request, verdict)
            wait = max(next(waiting), verdict.retry_after)
            self._logger.warning(
                "%s: %s; try %d of %d, next in %.1f s",
                request,
                verdict.problem,
                tries,
                MAX_TRIES,
                wait,
            )
            self._clock.sleep(wait)

    def _attempt(self, request: Request) -> tuple[str, Verdict]:
        """Pay one token of the operation's bucket, send the request once, judge what comes.

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
                params=request.params,
                auth=_AccessToken(token),
                timeout=self._timeout,
                # A redirect would carry the access token to a host of somebody else's choice.
                allow_redirects=False,
                # Reading the body at once is cheaper than in the small pieces of requests.
                stream=True,
            )
            content = response.raw.read(decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return token, no_response(f"no answer from {self._url} ({type(error).__name__})")
        verdict = judge(
            response.status_code,
            response.headers,
            content,
            paging=request.paging,
            secret=token,
        )
        if verdict.action is Action.SLOW_DOWN:
            bucket.refused(verdict.retry_after)
        else:
            bucket.succeeded()
            _retune(bucket.retune, response.headers.get("x-amzn-ratelimit-limit", ""))
        return token, verdict

    def _refusal(self, request: Request, verdict: Verdict) -> RequestFailedError:
        return RequestFailedError(
            f"{request} was refused: {verdict.problem}. {self._advice(request, verdict)}",
            status=verdict.status,
        )

    def _advice(self, request: Request, verdict: Verdict) -> str:
        if verdict.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return (
                f"A new access token was refused too: the application of {self.prefix}_client_id "
                f"lacks the role {request.role}, or {self.prefix}_refresh_token was issued before "
                "that role was granted; grant the role and authorise the application again."
            )
        if verdict.status == HTTPStatus.BAD_REQUEST:
            return (
                "Check start_date and end_date against what the operation reads, the filters of "
                "the settings against what this account may ask for, and this machine's clock: "
                "one that is minutes ahead asks for the future."
            )
        if verdict.status in _REDIRECTS:
            return f"Redirects are not followed with an access token; check {self.prefix}_url."
        return "It is not worth repeating; ask Amazon's support with the request id."

    def _exhausted(self, request: Request, verdict: Verdict) -> RequestFailedError:
        return RequestFailedError(
            f"{request} did not succeed in {MAX_TRIES} tries; the last: {verdict.problem}. "
            "What was finished is bookmarked: run the sync again once the API answers "
            f"(network, proxy, {self.prefix}_url).",
            status=verdict.status,
        )


class _AccessToken(requests.auth.AuthBase):
    """Signs a request; being its auth also keeps requests from adding what .netrc holds."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-amz-access-token"] = self._token
        return request


def _retune(retune: Callable[[float], None], announced: str) -> None:
    try:
        rate = float(announced)
    except ValueError:
        return
    if 0 < rate < math.inf:
        retune(rate)
