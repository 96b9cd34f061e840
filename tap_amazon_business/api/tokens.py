"""The token endpoint of Login with Amazon: what is sent, and what the answer means.

POST /auth/o2/token trades a refresh token for an access token, and an authorization code for a
refresh token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from tap_amazon_business.api.responses import TRANSIENT, retry_after_of
from tap_amazon_business.api.retry import TransientError
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.redaction import oauth_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_amazon_business.api.transport import Transport

_PATH = "/auth/o2/token"

# What a header can carry.
_TOKEN = re.compile("[!-~]+")

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FINAL = frozenset(range(400, 500)) - {HTTPStatus.TOO_MANY_REQUESTS} - TRANSIENT
_TRANSIENT_CODES = frozenset({"server_error", "temporarily_unavailable"})


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
    """A token, its lifetime as it was sent, and the Date header."""

    token: str = field(repr=False)
    expires_in: object
    date: str


class TokenEndpoint:
    """The endpoint as one application uses it."""

    def __init__(self, lwa_url: str, transport: Transport, prefix: str) -> None:
        self.url = lwa_url.rstrip("/").removesuffix(_PATH) + _PATH
        self._transport = transport
        self._prefix = prefix

    def request(self, form: Mapping[str, str], wanted: str, refusal: Refusal) -> Issued:
        """Request a token once.

        Args:
            form: What is traded for it.
            wanted: The field of the reply that contains it.
            refusal: The error message if Login with Amazon refuses the request.

        Raises:
            RequestFailedError: Login with Amazon refuses the request.
            TransientError: There was no token for another reason.
        """
        response = self._transport.post(self.url, form)
        reply = _decode(response.content)
        token = reply.get(wanted)
        if response.status == HTTPStatus.OK and isinstance(token, str) and _TOKEN.fullmatch(token):
            return Issued(token, reply.get("expires_in"), response.headers.get("date", ""))
        code = oauth_code(reply.get("error"))
        problem = f"HTTP {response.status} {code}".rstrip()
        if response.status not in _FINAL or code in _TRANSIENT_CODES:
            raise TransientError(
                problem,
                retry_after=retry_after_of(response.headers),
                status=response.status,
                outage=True,
            )
        if response.status in _REFUSALS:
            advice = refusal.advice.get(code, refusal.otherwise)
            message = f"{refusal.problem}: {problem}; {advice}.".format(self._prefix)
        else:
            message = (
                f"Login with Amazon at {self.url} refused the request: {problem}; check lwa_url."
            )
        raise RequestFailedError(message, status=response.status)


def _decode(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
