"""What to do about a request that failed: pure functions of its status."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_amazon_business.api.operations import Operation

_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


def of_refusal(
    operation: Operation, status: int | None, *, prefix: str, region_setting: str
) -> str:
    """Return what to do about a refusal, which no retry changes.

    Args:
        operation: What was asked for.
        status: The HTTP status.
        prefix: The prefix of the credential set's settings.
        region_setting: The setting that decides which accounts the API reads.
    """
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


def of_trouble(status: int | None, prefix: str) -> str:
    """Return what to do about a failure that may pass.

    Args:
        status: The HTTP status, None if there was no response.
        prefix: The prefix of the credential set's settings.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return (
            "Another program probably uses the same account: give each its share with "
            "rate_limits, or run them one after the other."
        )
    return f"Check network, proxy and {prefix}_url, or try again later."
