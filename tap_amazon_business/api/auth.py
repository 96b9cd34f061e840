"""Login with Amazon: access tokens for one credential set.

Source: "Connect to the Selling Partner API" and "Amazon Business API: authorization" in Amazon's
guides. POST /auth/o2/token trades a refresh token for an access token of one hour.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tap_amazon_business.api.retry import MAX_ATTEMPTS, TransientError, retry
from tap_amazon_business.api.tokens import Refusal, TokenEndpoint
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.times import duration

if TYPE_CHECKING:
    import logging

    from tap_amazon_business.api.retry import Outage
    from tap_amazon_business.api.transport import Transport
    from tap_amazon_business.clock import BoundedClock

# A share of the lifetime, so that a short-lived token is not asked for with every request.
_RENEWAL_MARGIN = 0.05
_DEFAULT_LIFETIME = 3600
_LONGEST_LIFETIME = 86_400

# {0} is replaced by the prefix of the settings.
_REFUSAL = Refusal(
    "Login with Amazon refused the credentials in {0}_*",
    {
        "invalid_client": (
            "check {0}_client_id and {0}_client_secret; a client secret expires 180 days after it "
            "was made unless it is rotated"
        ),
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
        outage: Outage,
        clock: BoundedClock,
        logger: logging.Logger,
    ) -> None:
        self._credentials = credentials
        self._endpoint = TokenEndpoint(lwa_url, transport, credentials.prefix)
        self._outage = outage
        self._clock = clock
        self._logger = logger
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
        prefix = self._credentials.prefix
        subject = f"Login with Amazon ({prefix})"
        try:
            return retry(
                self._attempt,
                subject=subject,
                outage=self._outage,
                clock=self._clock,
                logger=self._logger,
                attempts=attempts,
            )
        except TransientError as error:
            tries = f"{error.attempts} attempts" if error.attempts > 1 else "one attempt"
            self._failure = RequestFailedError(
                f"Login with Amazon at {self._endpoint.url} issued no access token for {prefix}_* "
                f"in {tries}: {error.problem}. Check that the host can be "
                "reached (setting lwa_url, network, proxy) and run the sync again.",
            )
        except RequestFailedError as error:
            self._failure = error
        raise self._failure

    def _attempt(self) -> _Token:
        """Request an access token once.

        Raises:
            RequestFailedError: Login with Amazon refuses the request.
            TransientError: There was no access token for another reason.
        """
        requested_at = self._clock.monotonic()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.refresh_token,
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        issued = self._endpoint.request(form, "access_token", _REFUSAL)
        self._bound_clock(issued.date)
        lifetime = _lifetime(issued.expires_in)
        return _Token(issued.token, requested_at + lifetime * (1 - _RENEWAL_MARGIN))

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
