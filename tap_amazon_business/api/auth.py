"""Login with Amazon: its token endpoint, and the access tokens of one credential set.

Source: "Connect to the Selling Partner API" and "Amazon Business API: authorization" in Amazon's
guides. POST /auth/o2/token trades a refresh token for an access token of one hour, and an
authorization code for a refresh token.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from tap_amazon_business.api.responses import TRANSIENT, retry_after_of
from tap_amazon_business.api.retry import MAX_ATTEMPTS, Retrier, TransientError
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.clock import BoundedClock
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.redaction import oauth_code
from tap_amazon_business.times import duration

_PATH = "/auth/o2/token"

# What a header can carry.
_TOKEN = re.compile("[!-~]+")

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FINAL = frozenset(range(400, 500)) - {HTTPStatus.TOO_MANY_REQUESTS} - TRANSIENT
_TRANSIENT_CODES = frozenset({"server_error", "temporarily_unavailable"})

# A share of the lifetime, so that a short-lived token is not asked for with every request.
_RENEWAL_MARGIN = 0.05
_DEFAULT_LIFETIME = 3600
_LONGEST_LIFETIME = 86_400


@dataclass(frozen=True)
class Credentials:
    """One application's credential set; `prefix` begins the names of its settings."""

    prefix: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @classmethod
    def none(cls, prefix: str) -> Credentials:
        """Return an empty set, for discovery without any settings."""
        return cls(prefix, "", "", "")


@dataclass(frozen=True)
class Refusal:
    """The error message of a refusal; `{0}` is replaced by the prefix of the settings.

    Attributes:
        problem: What was refused.
        advice: What to do, by error code.
        otherwise: What to do about any other code.
    """

    problem: str
    advice: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True)
class Issued:
    """A token, when it was requested, its lifetime as it was sent, and the Date header."""

    token: str = field(repr=False)
    requested_at: float
    expires_in: object
    date: str


class TokenEndpoint:
    """The token endpoint of Login with Amazon, as the application of a credential set uses it."""

    def __init__(
        self, lwa_url: str, credentials: Credentials, transport: Transport, retrier: Retrier
    ) -> None:
        self._url = lwa_url.rstrip("/").removesuffix(_PATH) + _PATH
        self._credentials = credentials
        self._transport = transport
        self._retrier = retrier

    def issue(
        self,
        kind: str,
        grant: Mapping[str, str],
        refusal: Refusal,
        *,
        attempts: int = MAX_ATTEMPTS,
    ) -> Issued:
        """Return a token.

        Args:
            kind: `access` or `refresh`.
            grant: What is traded for it.
            refusal: The error message if Login with Amazon refuses the request.
            attempts: How many attempts to make at most.

        Raises:
            RequestFailedError: Login with Amazon refuses the request, or does not respond.
        """
        prefix = self._credentials.prefix
        try:
            return self._retrier.run(
                lambda: self._request(f"{kind}_token", grant, refusal),
                f"Login with Amazon ({prefix})",
                attempts=attempts,
            )
        except TransientError as error:
            tries = f"{error.attempts} attempts" if error.attempts > 1 else "one attempt"
            raise RequestFailedError(
                f"Login with Amazon at {self._url} issued no {kind} token for "
                f"{prefix}_* in {tries}: {error.problem}. Check that the host can be reached "
                "(lwa_url, network, proxy), then try again."
            ) from error

    def _request(self, wanted: str, grant: Mapping[str, str], refusal: Refusal) -> Issued:
        """Request a token once.

        Raises:
            RequestFailedError: Login with Amazon refuses the request.
            TransientError: There was no token for another reason.
        """
        own = self._credentials
        requested_at = self._retrier.clock.monotonic()
        form = {**grant, "client_id": own.client_id, "client_secret": own.client_secret}
        response = self._transport.post(self._url, form)
        reply = _decode(response.content)
        token = reply.get(wanted)
        if response.status == HTTPStatus.OK and isinstance(token, str) and _TOKEN.fullmatch(token):
            date = response.headers.get("date", "")
            return Issued(token, requested_at, reply.get("expires_in"), date)
        code = oauth_code(reply.get("error"))
        problem = f"HTTP {response.status} {code}".rstrip()
        if response.status not in _FINAL or code in _TRANSIENT_CODES:
            raise TransientError(
                problem,
                retry_after=retry_after_of(response.headers),
                status=response.status,
                outage=True,
            )
        message = f"Login with Amazon at {self._url} refused the request: {problem}; check lwa_url."
        if response.status in _REFUSALS:
            advice = refusal.advice.get(code, refusal.otherwise)
            message = f"{refusal.problem}: {problem}; {advice}.".format(own.prefix)
        raise RequestFailedError(message, status=response.status)


def _decode(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


# ---- access tokens -------------------------------------------------------------------------------

# What to do about this error code, whatever was requested.
INVALID_CLIENT = (
    "check {0}_client_id and {0}_client_secret; a client secret expires 180 days after it was made "
    "unless it is rotated"
)

_REFUSAL = Refusal(
    "Login with Amazon refused the credentials in {0}_*",
    {
        "invalid_client": INVALID_CLIENT,
        "invalid_grant": (
            "check {0}_refresh_token: it was revoked, it expired, or it belongs to another "
            "application or region; authorize the application again to get a new one"
        ),
        "unauthorized_client": (
            "check that {0}_refresh_token was issued to the application of {0}_client_id"
        ),
    },
    "check {0}_client_id, {0}_client_secret and {0}_refresh_token",
)


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class LoginWithAmazon:
    """Hands out the access token of one credential set, to any number of threads.

    A token is requested once and used until shortly before it expires. It is requested earlier only
    if Amazon refused it.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        lwa_url: str,
        transport: Transport,
        retrier: Retrier,
        clock: BoundedClock,
    ) -> None:
        self._credentials = credentials
        self._endpoint = TokenEndpoint(lwa_url, credentials, transport, retrier)
        self._clock = clock
        self._logger = retrier.logger
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._failure: RequestFailedError | None = None

    def access_token(self, *, attempts: int = MAX_ATTEMPTS) -> str:
        """Return a valid access token.

        Args:
            attempts: How many attempts to make at most if one has to be requested.

        Raises:
            RequestFailedError: Login with Amazon refuses the credentials, or does not respond.
        """
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                self._token = self._request_token(attempts)
            return self._token.value

    def discard(self, refused: str) -> None:
        """Forget an access token that was refused, unless another thread has done so already."""
        with self._lock:
            if self._token is not None and self._token.value == refused:
                self._token = None

    def _request_token(self, attempts: int) -> _Token:
        if self._failure:  # final: other threads and streams need not try again
            raise self._failure
        refresh_token = self._credentials.refresh_token
        grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            issued = self._endpoint.issue("access", grant, _REFUSAL, attempts=attempts)
        except RequestFailedError as error:
            self._failure = error
            raise
        self._bound_clock(issued.date)
        lifetime = _lifetime(issued.expires_in)
        return _Token(issued.token, issued.requested_at + lifetime * (1 - _RENEWAL_MARGIN))

    def _bound_clock(self, date: str) -> None:
        """Keep this machine's clock from running ahead of Amazon's."""
        try:
            server_time = parsedate_to_datetime(date)
        except (ValueError, OverflowError):
            return
        ahead = self._clock.bound(server_time) if server_time.tzinfo else timedelta()
        if ahead > timedelta():
            self._logger.warning(
                "This machine's clock is %s ahead of Amazon's. The sync goes by Amazon's clock, so "
                "that no bookmark moves past rows that do not exist yet. Correct the clock.",
                duration(ahead.total_seconds()),
            )
        elif ahead:
            self._logger.warning(
                "This machine's clock is %s behind Amazon's: newer rows are read once it is "
                "correct. Correct the clock.",
                duration(-ahead.total_seconds()),
            )


def _lifetime(expires_in: object) -> float:
    if type(expires_in) is int and 0 < expires_in <= _LONGEST_LIFETIME:
        return float(expires_in)
    return _DEFAULT_LIFETIME
