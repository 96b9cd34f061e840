"""Why a request got no response, in words; pure functions of what requests and urllib3 raise."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The first that fits counts: an exception of requests may hold several of urllib3's.
_REASONS: Sequence[tuple[type[BaseException], str]] = (
    (ssl.SSLCertVerificationError, "the certificate of {host} is not trusted"),
    (urllib3.exceptions.NameResolutionError, "the host name {host} was not found"),
    (ConnectionRefusedError, "{host} refused the connection"),
    (requests.ConnectTimeout, "{host} did not accept a connection in time"),
    (requests.ReadTimeout, "{host} did not respond in time"),
    (urllib3.exceptions.ReadTimeoutError, "{host} did not respond in time"),
)

_UNTRUSTED = (
    "if a proxy of your company signs certificates, set REQUESTS_CA_BUNDLE to the file with its "
    "certificate authority"
)
_NO_AUTHORITIES = "set REQUESTS_CA_BUNDLE to a file of certificates, or do not set it"
_PROXY_REFUSES = (
    "check the user name and password in HTTPS_PROXY (407), and that the proxy lets requests to "
    "this host through (403), or name the host in NO_PROXY"
)

# How http.client words a proxy's refusal.
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
_CLIENT_ERRORS = "4"


def reason(error: Exception, url: str) -> str:
    """Return why a request to a URL got no response. It holds no credentials of a proxy."""
    host = urlsplit(url).hostname
    causes = list(_causes(error))
    if status := _tunnel_status(causes):
        return f"the proxy {_proxy(url)} refused a connection to {host} with HTTP {status}"
    if _has_no_authorities(causes):
        return "the file of trusted certificates cannot be read, or holds none"
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        return f"the proxy {_proxy(url)} does not work ({type(causes[-1]).__name__})"
    for kind, words in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return words.format(host=host)
    return f"the connection to {host} broke ({type(causes[-1]).__name__})"


def remedy(error: Exception) -> str | None:
    """Return what to do about an error that no retry changes, None about any other."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _UNTRUSTED
    if _has_no_authorities(causes):
        return _NO_AUTHORITIES
    return _PROXY_REFUSES if _tunnel_status(causes).startswith(_CLIENT_ERRORS) else None


def _has_no_authorities(causes: Sequence[BaseException]) -> bool:
    """Return whether REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names no file of certificates."""
    if type(causes[0]) is OSError:  # requests looks for the file before it sends anything
        return True
    return any(isinstance(cause, ssl.SSLError) and cause.library == "X509" for cause in causes)


def _tunnel_status(causes: Sequence[BaseException]) -> str:
    found = (_TUNNEL_STATUS.search(str(cause)) for cause in causes)
    return next((match[1] for match in found if match), "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it, as far as it is known."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "reason", None) or getattr(error, "original_error", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in error.args if isinstance(part, BaseException)), None)
        error = inner or error.__cause__ or error.__context__


def _proxy(url: str) -> str:
    proxy = select_proxy(url, get_environ_proxies(url)) or ""
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
