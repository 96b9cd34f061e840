"""One HTTP request and its whole response: for signing in and for Amazon's operations alike."""

from __future__ import annotations

import io
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from typing_extensions import override

from tap_amazon_business.api import hosts
from tap_amazon_business.api.operations import Request
from tap_amazon_business.api.retry import TransientError
from tap_amazon_business.errors import RequestFailedError

# Seconds; a response may take longer, a connection does not.
_CONNECT_TIMEOUT = 15

# Bytes of a decoded body. A page of a hundred orders with a thousand items each takes 45 MB; a few
# kilobytes of gzip may expand to any number.
_LARGEST_BODY = 64 << 20
_PIECE = 1 << 18
_BUFFER = 1 << 16  # of a socket: eight times Python's own, which saves system calls


@dataclass(frozen=True)
class Response:
    """A response: its status, its headers with case-insensitive names, and its decoded body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport:
    """Sends requests from any number of threads.

    Args:
        user_agent: The user-agent header.
        connections: How many connections to keep open to a host.
        request_timeout: Seconds until a response is complete, from its first byte to its last.
    """

    def __init__(self, *, user_agent: str, connections: int, request_timeout: float) -> None:
        self._session = requests.Session()
        self._session.headers.update({"user-agent": user_agent, "accept": "application/json"})
        self._session.mount("https://", _Adapter(pool_maxsize=connections))
        self._session.mount("http://", _Adapter(pool_maxsize=connections))
        self._request_timeout = request_timeout

    def send(self, url: str, request: Request, access_token: str) -> Response:
        """Sign a request of an API's operation, and send it.

        Raises:
            TransientError: There was no response.
            RequestFailedError: No retry helps: the host's certificate is not trusted, a
                proxy refuses the connection, or the response has no end.
        """
        return self._send(
            request.operation.method,
            url + request.path,
            params=request.query,
            json=request.body,
            auth=_Auth(access_token),
        )

    def post(self, url: str, form: Mapping[str, str]) -> Response:
        """Send a form.

        Raises:
            TransientError: There was no response.
            RequestFailedError: No retry helps: the host's certificate is not trusted, a
                proxy refuses the connection, or the response has no end.
        """
        return self._send("POST", url, data=form, auth=_Auth())

    def _send(
        self,
        method: str,
        url: str,
        *,
        auth: _Auth,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Response:
        # No proxy may see the secrets that go to a loopback address.
        host = urlsplit(url).hostname or ""
        proxies = {"no_proxy": host} if hosts.is_loopback(host) else {}
        started = time.monotonic()
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=data,
                json=json,
                auth=auth,
                timeout=(min(self._request_timeout, _CONNECT_TIMEOUT), self._request_timeout),
                proxies=proxies,
                # A redirect would carry secrets to a host of somebody else's choice.
                allow_redirects=False,
                stream=True,
            )
            content = _content(response)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # one of requests is an OSError
            reason, remedy = _explain(error, url)
            if remedy:
                raise RequestFailedError(
                    f"{reason[0].upper()}{reason[1:]}; {remedy}.", cause=reason
                ) from error
            seconds = time.monotonic() - started
            raise TransientError(f"no response: {reason}", outage=True, seconds=seconds) from error
        return Response(response.status_code, response.headers, content)


def _content(response: requests.Response) -> bytes:
    """Return the body, if it is complete.

    Raises:
        RequestFailedError: It is too large for any response of these APIs.
    """
    pieces: list[bytes] = []
    size = 0
    # Each read returns what has arrived, and no more, whatever a few bytes may expand to.
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST_BODY:
            response.close()
            raise RequestFailedError(
                f"{urlsplit(response.url).hostname} sent a response of more than "
                f"{_LARGEST_BODY >> 20} MB, which no page of these APIs is. Check the network and "
                "its proxies; if it happens again, ask Amazon's support."
            )
    if response.raw.length_remaining:
        raise requests.exceptions.ChunkedEncodingError("the body is incomplete")
    return b"".join(pieces)


# ---- a deadline for the whole response -----------------------------------------------------------


class _Adapter(HTTPAdapter):
    """Makes connections whose timeout bounds a whole response.

    The timeout of requests and urllib3 bounds each read of the socket. A status line, headers or a
    body that arrive byte by byte, and `100 Continue` again and again, would keep a thread for ever.
    """

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = pool.ConnectionCls  # with or without TLS, or of a proxy
        if kind.response_class is not _Response:
            pool.ConnectionCls = type(kind.__name__, (kind,), {"response_class": _Response})
        return pool


class _Response(HTTPResponse):
    """A response that is read until its deadline: the timeout of its socket, from now on."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **kwargs)
        self.fp: io.BufferedReader = io.BufferedReader(_Reader(sock, self.fp.detach()), _BUFFER)


class _Reader(io.RawIOBase):
    """Reads a socket until a deadline, which is measured by the clock that sockets go by."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._sock = sock
        self._raw = raw

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Auth(requests.auth.AuthBase):
    """Signs a request; being its auth also keeps requests from adding credentials from .netrc."""

    def __init__(self, access_token: str | None = None) -> None:
        self._access_token = access_token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._access_token is not None:
            request.headers["x-amz-access-token"] = self._access_token
        return request


# ---- why there was no response, in words ---------------------------------------------------------

_UNTRUSTED = (
    "if a proxy of your company signs certificates, set REQUESTS_CA_BUNDLE to the file with its "
    "certificate authority"
)
_NO_AUTHORITIES = "set REQUESTS_CA_BUNDLE to a file of certificates, or do not set it"
_PROXY_REFUSES = (
    "check the user name and password in HTTPS_PROXY (407), and that the proxy lets requests to "
    "this host through (403), or name the host in NO_PROXY"
)

# The first that fits counts: an exception of requests may contain several of urllib3's. With the
# remedy, where no retry helps.
_REASONS: Sequence[tuple[type[BaseException], str, str]] = (
    (ssl.SSLCertVerificationError, "the certificate of {host} is not trusted", _UNTRUSTED),
    (urllib3.exceptions.NameResolutionError, "the host name {host} was not found", ""),
    (ConnectionRefusedError, "{host} refused the connection", ""),
    (requests.ConnectTimeout, "{host} did not accept a connection in time", ""),
    (requests.ReadTimeout, "{host} did not respond in time", ""),
    (urllib3.exceptions.ReadTimeoutError, "{host} did not respond in time", ""),
)

# How http.client words a proxy's refusal.
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
_CLIENT_ERRORS = "4"


def _explain(error: Exception, url: str) -> tuple[str, str]:
    """Return why a request to a URL got no response, and what to do if no retry helps, or "".

    Neither contains credentials of a proxy.
    """
    host = urlsplit(url).hostname
    causes = list(_causes(error))
    if status := _tunnel_status(causes):
        final = status.startswith(_CLIENT_ERRORS)
        reason = f"the proxy {_proxy(url)} refused a connection to {host} with HTTP {status}"
        return reason, _PROXY_REFUSES if final else ""
    if _has_no_authorities(causes):
        return "the file of trusted certificates cannot be read, or contains none", _NO_AUTHORITIES
    if _has(causes, urllib3.exceptions.ProxyError):
        reason = f"the proxy {_proxy(url)} does not work ({type(causes[-1]).__name__})"
        return reason, _UNTRUSTED if _has(causes, ssl.SSLCertVerificationError) else ""
    for kind, words, remedy in _REASONS:
        if _has(causes, kind):
            return words.format(host=host), remedy
    return f"the connection to {host} broke ({type(causes[-1]).__name__})", ""


def _has(causes: Sequence[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in causes)


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
