"""The meaning of a response, a pure function of status, headers and body, and advice on errors.

Sources: "Response codes" and "Usage plans" in Amazon's guides; the quirks are explained in the
README.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from tap_amazon_business.api.operations import Operation
from tap_amazon_business.records.decoding import Decoder, decode
from tap_amazon_business.redaction import redact, redact_secret

# Of gateways and proxies, too: some answer with numbers of their own, such as 520 and 529.
TRANSIENT = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        *range(520, 531),
    }
)
_UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Amazon's two codes for a bad parameter: of the vendor operations and of Amazon Business.
_BAD_PARAMETER = frozenset({"InvalidInput", "INVALID_REQUEST_PARAMETER"})

_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)

_NO_DATA = frozenset({"errors", "payload", "pagination", "nextPageToken"})

_LONGEST_RETRY_AFTER = 900.0
_LONGEST_MESSAGE = 300


class Action(Enum):
    """The next step after a response."""

    ACCEPT = auto()
    RETRY = auto()
    RETRY_PAGE = auto()
    SLOW_DOWN = auto()
    RENEW_TOKEN = auto()
    REFUSE = auto()


@dataclass(frozen=True)
class Verdict:
    """The next step after a response, and its text for log lines.

    Attributes:
        action: What to do.
        body: The decoded body if the action is ACCEPT.
        problem: Status, code, message and request id, for logs and error messages; with ACCEPT,
            what the body reports besides its data.
        retry_after: Seconds that Amazon asks to wait, 0 where it asks for none.
        status: The HTTP status, None where there was no response.
        code: Amazon's code of the error, "" if there is none.
    """

    action: Action
    body: dict[str, Any]
    problem: str = ""
    retry_after: float = 0
    status: int | None = None
    code: str = ""


def judge(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    paging: bool,
    secret: str = "",
    decoder: Decoder = decode,
) -> Verdict:
    """Decide what a response means.

    Args:
        status: The HTTP status.
        headers: The response's headers, with case-insensitive names.
        content: The body; gateways send HTML or nothing at all with any status.
        paging: Whether the request carried a page token.
        secret: The access token, which must not be repeated where Amazon's message does.
        decoder: Decodes the body.
    """
    body = decoder(content)
    code, message = _first_error(body)
    if status == HTTPStatus.OK and body and not body.get("errors"):
        return Verdict(Action.ACCEPT, body, status=status)
    problem = _describe(status, code, message, headers, secret)
    if status == HTTPStatus.OK and body and _has_data(body):
        return Verdict(Action.ACCEPT, body, problem, status=status)
    if status == HTTPStatus.OK:
        action = Action.RETRY
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        action = Action.SLOW_DOWN
    elif status in TRANSIENT:
        action = Action.RETRY
    elif status in _UNAUTHORIZED:
        action = Action.RENEW_TOKEN
    elif status == HTTPStatus.BAD_REQUEST and code in _BAD_PARAMETER and paging:
        # The page before was accepted with the same filters, so the request is not at fault:
        # users report that it passes after two or three tries.
        action = Action.RETRY_PAGE
    else:
        action = Action.REFUSE
    retry_after = retry_after_of(headers)
    return Verdict(action, {}, problem, retry_after, status, code)


def _has_data(body: dict[str, Any]) -> bool:
    """Return whether a body contains data besides its errors; an empty list is no data."""
    payload = body.get("payload")
    parts = {**body, **(payload if isinstance(payload, dict) else {})}
    return any(part for name, part in parts.items() if name not in _NO_DATA)


def _first_error(body: dict[str, Any] | None) -> tuple[str, str]:
    errors = (body or {}).get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        parts = [errors[0].get("message"), errors[0].get("details")]
        return str(errors[0].get("code") or ""), ", ".join(str(part) for part in parts if part)
    return "", ""


def _describe(status: int, code: str, message: str, headers: Mapping[str, str], secret: str) -> str:
    request_id = headers.get("x-amzn-requestid", "none")
    code, message, request_id = (
        redact_secret(part, secret) for part in (code, message, request_id)
    )
    if not code and not message:
        kind = headers.get("content-type", "").split(";")[0] or "no content type"
        message = f"the body is not from this API ({kind})"
    # Cut twice: looking for addresses takes long in a long text, and may cut one in two.
    words = message[: 4 * _LONGEST_MESSAGE].split()
    said = redact(" ".join([*f"{status} {code[:_LONGEST_MESSAGE]}".split(), ":", *words]))
    said = said.replace(" :", ":")
    if len(said) > _LONGEST_MESSAGE:
        said = said[:_LONGEST_MESSAGE] + "…"
    return f"HTTP {said} [x-amzn-RequestId {request_id}]"


def retry_after_of(headers: Mapping[str, str]) -> float:
    """Return how many seconds a server asks to wait, 0 if it asks for none."""
    seconds = headers.get("retry-after", "").strip()
    return min(float(seconds), _LONGEST_RETRY_AFTER) if seconds.isdecimal() else 0.0


# ---- what to do about it -------------------------------------------------------------------------


def advice_on_refusal(
    operation: Operation, status: int | None, *, prefix: str, region_setting: str
) -> str:
    """Return what to do about a refusal, which no retry changes."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            "A new access token was refused, too: the application of "
            f"{prefix}_client_id lacks the role {operation.role}, or "
            f"{prefix}_refresh_token was issued before that role was granted, or it "
            f"belongs to an account of another region than {region_setting} says. Grant "
            "the role and authorize the application again, or correct the region."
        )
    if status == HTTPStatus.BAD_REQUEST and operation.method == "GET":
        return (
            "Check start_date and end_date against what the operation reads, the filter "
            "settings against what this account may ask for, and this machine's clock: if it "
            "is minutes ahead, it asks for the future."
        )
    if status in _REDIRECTS:
        return f"The tap does not follow redirects; check {prefix}_url."
    return "Retrying will not help; send the request id to Amazon's support."


def advice_on_failure(status: int | None, prefix: str) -> str:
    """Return what to do about a failure that may pass."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return (
            "Another program probably uses the same account: give each its share with "
            "rate_limits, or run them one after the other."
        )
    return f"Check network, proxy and {prefix}_url, or try again later."
