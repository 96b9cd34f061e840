"""One HTTP request and its whole response: for signing in and for Amazon's operations alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tap_amazon_business.api import hosts, unreachable
from tap_amazon_business.api.retry import TransientError
from tap_amazon_business.clock import SystemClock
from tap_amazon_business.errors import RequestFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_amazon_business.api.operations import Request

# Seconds; a response may take longer, a connection does not.
_CONNECT_TIMEOUT = 15


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
        request_timeout: Seconds until a response is complete.
    """

    def __init__(self, *, user_agent: str, connections: int, request_timeout: float) -> None:
        self._session = requests.Session()
        self._session.headers.update({"user-agent": user_agent, "accept": "application/json"})
        self._session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self._session.mount("http://", HTTPAdapter(pool_maxsize=connections))
        self._request_timeout = request_timeout
        self._clock = SystemClock()  # which sockets go by, whatever the tap's clock is

    def send(self, url: str, request: Request, access_token: str) -> Response:
        """Sign a request of an API's operation, and send it.

        Args:
            url: The API's URL.
            request: The request.
            access_token: What signs it.

        Raises:
            TransientError: There was no response.
            RequestFailedError: The host's certificate is not trusted.
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
            RequestFailedError: The host's certificate is not trusted.
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
        started = self._clock.monotonic()
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
            content = self._content(response, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = unreachable.reason(error, url)
            if unreachable.is_untrusted(error):
                raise RequestFailedError(
                    f"{reason[0].upper()}{reason[1:]}; {unreachable.CA_ADVICE}.", cause=reason
                ) from error
            seconds = self._clock.monotonic() - started
            raise TransientError(f"no response: {reason}", outage=True, seconds=seconds) from error
        return Response(response.status_code, response.headers, content)

    def _content(self, response: requests.Response, started: float) -> bytes:
        """Return the body, if it is complete in time."""
        pieces = []
        # Each read returns what has arrived. Reading the whole body at once has no deadline.
        while piece := response.raw.read1(decode_content=True):
            pieces.append(piece)
            if self._clock.monotonic() - started > self._request_timeout:
                response.close()
                raise requests.ReadTimeout
        if response.raw.length_remaining:
            raise requests.exceptions.ChunkedEncodingError("the body is incomplete")
        return b"".join(pieces)


class _Auth(requests.auth.AuthBase):
    """Signs a request; being its auth also keeps requests from adding what .netrc holds."""

    def __init__(self, access_token: str | None = None) -> None:
        self._access_token = access_token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._access_token is not None:
            request.headers["x-amz-access-token"] = self._access_token
        return request
