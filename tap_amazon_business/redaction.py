"""Redaction of e-mail addresses, access tokens, and of text that may contain one."""

from __future__ import annotations

import logging
import re

_E_MAIL = re.compile(r"""("[^"]*"|[^\s@<>"']*)(@|%40)[^\s<>"']+""")

# What an error code of RFC 6749 looks like. Other text from Login with Amazon may repeat what was
# sent.
_OAUTH_CODE = re.compile("[A-Za-z_]{1,100}")


# Characters that could end a line of the log, or command a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def redact(message: str) -> str:
    """Return a message without e-mail addresses, and with its control characters escaped."""
    return _CONTROL.sub(_escape, _E_MAIL.sub("(e-mail)", message))


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def redact_secret(text: str, secret: str) -> str:
    """Return a text in which an access token is replaced; an empty token replaces nothing."""
    return text.replace(secret, "(access token)") if secret else text


def redact_log_record(record: logging.LogRecord) -> bool:
    """Remove e-mail addresses from a log record: a filter for other packages' loggers."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def oauth_code(value: object) -> str:
    """Return an error code of Login with Amazon, or nothing if the value is no error code."""
    code = str(value or "")
    return code if _OAUTH_CODE.fullmatch(code) else ""
