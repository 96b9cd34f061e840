"""Faults, and policies that answer a request with a fault."""

import asyncio
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

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
        body = whole.body if isinstance(whole, web.Response) else b""
        body = body if isinstance(body, bytes) else b""
        part = web.StreamResponse(status=whole.status, headers=whole.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: int(len(body) * self.share)])
        if request.transport is not None:
            request.transport.close()
        return part


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
