"""Faults, and policies that answer a request with a fault."""

import asyncio
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from simulator.encoding import Row, decode, encode
from simulator.operations import Request

Serve = Callable[[], Awaitable[web.StreamResponse]]
"""Answers the request as if there were no fault."""


class Fault(Protocol):
    """A failure of one request."""

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Answer the request instead of the simulator; `serve` returns the proper answer."""


class Faults(Protocol):
    """Decides for every request whether it fails."""

    def decide(self, request: Request) -> Fault | None:
        """Return the fault of a request that has just arrived, or None."""


@dataclass(frozen=True)
class Reply:
    """A raw reply: an error of the service, a gateway's HTML, truncated JSON, nothing at all.

    Attributes:
        status: HTTP status.
        headers: Added to the reply.
        body: Sent as it is.
        delay: Seconds to wait first.
    """

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send the reply."""
        del request, serve
        await asyncio.sleep(self.delay)
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, headers=headers, body=self.body)


@dataclass(frozen=True)
class Hang:
    """No reply, and then a dropped connection.

    Attributes:
        seconds: How long to wait; by default until the client or the simulator gives up.
    """

    seconds: float | None = None

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Wait, then drop."""
        if self.seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self.seconds)
        return await Reset().answer(request, serve)


@dataclass(frozen=True)
class Reset:
    """A connection reset instead of a reply."""

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Reset the connection."""
        del serve
        transport = request.transport
        if transport is not None:
            # Lingering for zero seconds makes the kernel send RST, as a crashed gateway does.
            peer: socket.socket = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()


@dataclass(frozen=True)
class Cut:
    """The proper reply, cut off: its Content-Length is larger than its body.

    Attributes:
        share: The part of the body that is sent.
    """

    share: float = 0.5

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send the first part of the proper answer and drop the connection."""
        whole = await serve()
        body = body_of(whole)
        part = web.StreamResponse(status=whole.status, headers=whole.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: int(len(body) * self.share)])
        if request.transport is not None:
            request.transport.close()
        return part


@dataclass(frozen=True)
class Trickle:
    """The proper reply, a few bytes at a time.

    Attributes:
        seconds: How long the body takes, of real time.
        every: Seconds between two pieces; each keeps a client's read timeout from passing.
    """

    seconds: float
    every: float = 0.05

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send the proper answer piece by piece."""
        whole = await serve()
        body = body_of(whole)
        slow = web.StreamResponse(status=whole.status, headers=whole.headers)
        slow.content_length = len(body)
        await slow.prepare(request)
        pieces = max(1, round(self.seconds / self.every))
        for piece in range(pieces):
            await asyncio.sleep(self.seconds / pieces)
            first, last = (len(body) * (piece + end) // pieces for end in (0, 1))
            await slow.write(body[first:last])
        return slow


@dataclass(frozen=True)
class EndlessHead:
    """A reply whose status line or headers have no end; it lasts until the client gives up.

    Attributes:
        beginning: What is sent first.
        piece: What is sent again and again.
        every: Seconds between two pieces; each keeps a client's read timeout from passing.
    """

    beginning: bytes = b"HTTP/1.1 200 OK\r\nX-Filler: "
    piece: bytes = b"a"
    every: float = 0.05

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send piece by piece."""
        del serve
        transport = request.transport
        if transport is not None:
            transport.write(self.beginning)
            while not transport.is_closing():
                transport.write(self.piece)
                await asyncio.sleep(self.every)
        return web.Response()


@dataclass(frozen=True)
class WithErrors:
    """The proper reply with `errors` beside its rows; unaltered where it has no rows.

    Attributes:
        code: The error's code.
    """

    code: str = "InternalFailure"

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Send the proper answer and the error."""
        del request
        whole = await serve()
        body = body_of(whole)
        if whole.status != 200 or not _has_rows(decode(body)):
            return whole
        error = {"code": self.code, "message": "Some data could not be read.", "details": ""}
        errors = encode({"errors": [error]})
        # Without decoding the rows: their numbers keep their digits.
        return web.Response(headers=whole.headers, body=body[:-1] + b"," + errors[1:])


def body_of(response: web.StreamResponse) -> bytes:
    """Return the body of an answer that has not been sent yet."""
    body = response.body if isinstance(response, web.Response) else b""
    return body if isinstance(body, bytes) else b""


def _has_rows(reply: Row) -> bool:
    parts = reply.get("payload", reply)
    return any(isinstance(part, list) and part for part in parts.values())


class Scripted:
    """Scripted faults: the next requests to an operation get them in order."""

    def __init__(self) -> None:
        self._next: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def fail_next(self, operation: str, faults: Iterable[Fault]) -> None:
        """Let the next requests to an operation fail with these faults, one each."""
        self._next[operation].extend(faults)

    def decide(self, request: Request) -> Fault | None:
        """Return the next fault in order, if there is one."""
        waiting = self._next.get(request.operation)
        return waiting.popleft() if waiting else None

    def clear(self) -> None:
        """Drop the faults that have not happened yet."""
        self._next.clear()
