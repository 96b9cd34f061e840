"""Kinds of faults, and how one of each kind is drawn."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from random import Random

from aiohttp import web

from simulator.encoding import encode
from simulator.errors import (
    invalid_input,
    invalid_request_parameter,
    quota_exceeded,
    unauthorized,
)
from simulator.faults import Cut, EndlessHead, Fault, Hang, Reply, Reset, Serve, Trickle, body_of

HTML = b"<html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body></html>"
SERVER_ERRORS = (500, 502, 503, 504, 520, 529)
TRANSIENT = (200, 408, 425, 429, *SERVER_ERRORS)
FINAL = (301, 302, 307, 308, 400, 404, 405, 413, 415, 501)
"""Statuses that no client may expect to pass: redirects are not followed."""

NO_ANSWERS = (
    b"null",
    b"[]",
    b'"done"',
    b"{}",
    b"7",
    b"\xff\xfe{}",
    b"OK",
    b"{'a': 1}",
    b'{"payload":{"orders":[]},"errors":[{"code":"InternalFailure","message":"try later"}]}',
)

BLANK_LISTS = (
    b'{"payload":{}}',
    b'{"payload":null}',
    b'{"payload":[]}',
    b'{"size":0}',
    b'{"ordersReport":null,"nextPageToken":null}',
)
"""Answers without rows, as users got them for a day now and then."""


class Kind(StrEnum):
    """A kind of mishap."""

    QUOTA = "429"
    QUOTA_WAIT = "429 wait"
    SERVER_ERROR = "5xx"
    HTML = "html"
    EMPTY = "empty"
    BLANK = "blank"
    ECHO = "echo"
    TRUNCATED = "cut json"
    NOT_JSON = "no json"
    BAD_GZIP = "gzip"
    RESET = "reset"
    CUT = "cut"
    STALL = "stall"
    PAGE = "page 400"
    AUTH = "401/403"
    REVOKED = "revoked"
    FINAL = "final"


class Stall:
    """The first half of the proper answer, and then silence.

    Args:
        seconds: How long, before the connection is dropped.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send a part, wait, drop."""
        whole = await serve()
        body = body_of(whole)
        part = web.StreamResponse(status=whole.status, headers=whole.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: len(body) // 2])
        await asyncio.sleep(self._seconds)
        if request.transport is not None:
            request.transport.close()
        return part


class Truncated:
    """The proper answer, cut short by something that counts again: its Content-Length is right.

    A refusal stays whole: cut short, it would be one that a client may not try again.

    Args:
        share: The part of the body that is sent.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send the first part of the proper answer."""
        del request
        whole = await serve()
        if whole.status != 200:
            return whole
        body = body_of(whole)
        headers = {"Content-Type": "application/json"}
        return web.Response(headers=headers, body=body[: int(len(body) * self._share)])


class Echo:
    """An error message that repeats secrets of the client."""

    def __init__(self, status: int) -> None:
        self._status = status

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Answer with the access token, or with the form of a token request."""
        del serve
        said = request.headers.get("x-amz-access-token", "") or (await request.read()).decode()
        message = f"{said} of ada@buyer.example is unknown here"
        error = {"code": "InternalFailure", "message": message, "details": message}
        body = {"errors": [error], "error": "server_error", "error_description": message}
        return web.Response(
            status=self._status, body=encode(body), headers={"Content-Type": "application/json"}
        )


class Revoked:
    """Every access token is revoked while the request is on its way.

    Args:
        revoke: Revokes them; called in a thread of its own.
    """

    def __init__(self, revoke: Callable[[], object]) -> None:
        self._revoke = revoke

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Revoke, and answer properly: with a refusal."""
        del request
        await asyncio.to_thread(self._revoke)
        return await serve()


def draw(kind: Kind, rng: Random, *, stall: float, revoke: Callable[[], object]) -> Fault:
    """Return a fault of a kind.

    Args:
        kind: A kind of mishap.
        rng: Decides how.
        stall: Seconds a stall lasts.
        revoke: Revokes all access tokens.
    """
    makers: dict[Kind, Callable[[], Fault]] = {
        Kind.QUOTA: lambda: Reply(429, body=quota_exceeded().body()),
        Kind.QUOTA_WAIT: lambda: Reply(429, _retry_after(rng), quota_exceeded().body()),
        Kind.SERVER_ERROR: lambda: Reply(rng.choice(SERVER_ERRORS), body=_error(rng)),
        Kind.HTML: lambda: Reply(rng.choice(TRANSIENT), {"Content-Type": "text/html"}, HTML),
        Kind.EMPTY: lambda: Reply(rng.choice(TRANSIENT)),
        Kind.BLANK: lambda: Reply(200, body=rng.choice(BLANK_LISTS)),
        Kind.ECHO: lambda: Echo(rng.choice(SERVER_ERRORS)),
        Kind.TRUNCATED: lambda: Truncated(rng.random()),
        Kind.NOT_JSON: lambda: Reply(200, body=rng.choice(NO_ANSWERS)),
        Kind.BAD_GZIP: lambda: Reply(200, {"Content-Encoding": "gzip"}, b"no gzip at all"),
        Kind.RESET: Reset,
        Kind.CUT: lambda: Cut(rng.choice((0.0, 0.5, 0.99, rng.random()))),
        Kind.STALL: lambda: rng.choice((Hang(stall), Stall(stall), Trickle(stall), EndlessHead())),
        Kind.PAGE: lambda: Reply(
            400, body=rng.choice((invalid_input, invalid_request_parameter))("a page").body()
        ),
        Kind.AUTH: lambda: rng.choice(
            (
                Reply(401, body=unauthorized("expired").body()),
                Reply(403, body=unauthorized("expired").body()),
                Reply(403, {"Content-Type": "text/html"}, HTML),
                Reply(403),
            )
        ),
        Kind.REVOKED: lambda: Revoked(revoke),
        Kind.FINAL: lambda: _final(rng),
    }
    return makers[kind]()


def _retry_after(rng: Random) -> dict[str, str]:
    seconds = str(rng.choice((0, 1, 2, 7, 30)))
    return {"Retry-After": rng.choice((seconds, seconds, "Wed, 21 Oct 2026 07:28:00 GMT", "soon"))}


def _error(rng: Random) -> bytes:
    code = rng.choice(("InternalFailure", "ServiceUnavailable", "InternalFailure"))
    return encode({"errors": [{"code": code, "message": "We encountered an internal error."}]})


def _final(rng: Random) -> Fault:
    status = rng.choice(FINAL)
    location = {"Location": "https://127.0.0.1:1/elsewhere"} if status < 400 else {}
    return Reply(status, {"Content-Type": "text/html", **location}, HTML)
