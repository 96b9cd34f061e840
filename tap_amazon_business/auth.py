"""Login with Amazon: access tokens for one credential set.

Source: "Connect to the Selling Partner API" and "Amazon Business API: authorization" in Amazon's
guides. POST /auth/o2/token trades a refresh token for an access token of one hour.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import requests

from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.retry import MAX_TRIES, waits

if TYPE_CHECKING:
    import logging

    from tap_amazon_business.clock import Clock

_TOKEN_PATH = "/auth/o2/token"  # noqa: S105 (a path, not a secret)

# A share of the lifetime, so that a short-lived token is not asked for with every request.
_RENEWAL_MARGIN = 0.05
_DEFAULT_LIFETIME = 3600
_LONGEST_LIFETIME = 86_400

# What a header can carry, and what a code of RFC 6749 looks like.
_TOKEN = re.compile("[!-~]+")
_CODE = re.compile("[A-Za-z_]{1,100}")

# What to do about an error code of Login with Amazon, with the settings' prefix filled in.
_ADVICE = {
    "invalid_client": (
        "check {0}_client_id and {0}_client_secret; a client secret expires 180 days after it was "
        "made unless it is rotated"
    ),
    "invalid_grant": (
        "check {0}_refresh_token: it was revoked, it expired, or it belongs to another application "
        "or region; authorise the application again for a new one"
    ),
    "unauthorized_client": (
        "check that {0}_refresh_token was issued to the application of {0}_client_id"
    ),
}
_DEFAULT_ADVICE = "check {0}_client_id, {0}_client_secret and {0}_refresh_token"
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TRANSIENT_CODES = frozenset({"server_error", "temporarily_unavailable"})


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

    A token is asked for once, used until shortly before it expires, and asked for anew earlier
    only where Amazon refused it.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        url: str,
        session: requests.Session,
        timeout: float,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self._credentials = credentials
        self._url = url.rstrip("/") + _TOKEN_PATH
        self._session = session
        self._timeout = timeout
        self._clock = clock
        self._logger = logger
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._failure: RequestFailedError | None = None

    def access_token(self) -> str:
        """Return a valid access token.

        Raises:
            RequestFailedError: Login with Amazon refuses the credentials, or does not answer.
        """
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                self._token = self._request_token()
            return self._token.value

    def discard(self, refused: str) -> None:
        """Forget an access token that was refused, unless another thread has done so already."""
        with self._lock:
            if self._token is not None and self._token.value == refused:
                self._token = None

    def _request_token(self) -> _Token:
        if self._failure:  # for good: threads and streams that come later need not try again
            raise self._failure
        problem = ""
        for tries, wait in enumerate(waits(), start=1):
            asked_at = self._clock.monotonic()
            status, reply = self._post()
            token = reply.get("access_token")
            if status == HTTPStatus.OK and isinstance(token, str) and _TOKEN.fullmatch(token):
                lifetime = _lifetime(reply.get("expires_in"))
                return _Token(token, asked_at + lifetime * (1 - _RENEWAL_MARGIN))
            code = str(reply.get("error") or "")
            # Anything but a code might repeat what was sent.
            code = code if _CODE.fullmatch(code) else ""
            problem = f"HTTP {status} {code}".rstrip() if status else code
            if status in _REFUSALS and code not in _TRANSIENT_CODES:
                advice = _ADVICE.get(code, _DEFAULT_ADVICE).format(self._credentials.prefix)
                self._failure = RequestFailedError(
                    f"Login with Amazon refused the credentials of {self._credentials.prefix}_*: "
                    f"{problem}; {advice}.",
                    status=status,
                )
                raise self._failure
            if tries == MAX_TRIES:
                break
            self._logger.warning(
                "Login with Amazon (%s): %s; try %d of %d, next in %.1f s",
                self._credentials.prefix,
                problem,
                tries,
                MAX_TRIES,
                wait,
            )
            self._clock.sleep(wait)
        self._failure = RequestFailedError(
            f"Login with Amazon at {self._url} gave no access token for "
            f"{self._credentials.prefix}_* in {MAX_TRIES} tries: {problem}. Check that the host "
            "can be reached (setting lwa_url, network, proxy) and run the sync again."
        )
        raise self._failure

    def _post(self) -> tuple[int | None, dict[str, Any]]:
        """Ask once; return the status and the reply, or None and what went wrong."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.refresh_token,
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        try:
            response = self._session.post(
                self._url, data=form, timeout=self._timeout, allow_redirects=False, auth=_no_auth
            )
        except requests.RequestException as error:
            return None, {"error": type(error).__name__}
        try:
            return response.status_code, msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return response.status_code, {}


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding what a .netrc file holds for the host."""
    return request


def _lifetime(expires_in: object) -> float:
    if isinstance(expires_in, int) and 0 < expires_in <= _LONGEST_LIFETIME:
        return float(expires_in)
    return _DEFAULT_LIFETIME
