"""Faults and policies for them, beyond those of the simulator."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from simulator import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from simulator import Fault, Request
    from simulator.faults import Serve


def ok(body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply with status 200: raw where the body is bytes, else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(200, headers or {}, body=raw)


def refusal(status: int, code: str, message: str = "It was refused.", **headers: str) -> Reply:
    """Return a reply with an error of the API's own shape."""
    body = {"errors": [{"code": code, "message": message}]}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, body=json.dumps(body).encode())


class Served:
    """No fault: the request is answered as if nothing had been scripted.

    Args:
        then: Called once the answer is made, before it is sent.
        headers: Added to the answer.
    """

    def __init__(
        self,
        then: Callable[[], object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._then = then
        self._headers = headers or {}

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        del request
        answer = await serve()
        answer.headers.update(self._headers)
        if self._then is not None:
            self._then()
        return answer


class Answers:
    """Answers an operation with bodies of its own.

    Args:
        operation: Which one.
        body: The body of every answer, or what makes it of a request; raw where it is bytes, else
            written as JSON; the simulator answers where it is None.

    Attributes:
        asked: The requests so far.
    """

    def __init__(self, operation: str, body: object | Callable[[Request], object]) -> None:
        self._operation = operation
        self._body = body
        self.asked: list[Request] = []

    def decide(self, request: Request) -> Fault | None:
        if request.operation != self._operation:
            return None
        self.asked.append(request)
        body: Any = self._body(request) if callable(self._body) else self._body
        return None if body is None else ok(body)


class Fails:
    """Lets an operation answer some requests; then the others meet a fault until it is over.

    Args:
        operation: What fails.
        after: How many requests are answered before.
        fault: What the others meet.

    Attributes:
        over: Whether all requests are answered again.
    """

    def __init__(self, operation: str, after: int, fault: Fault) -> None:
        self.over = False
        self._operation = operation
        self._left = after
        self._fault = fault

    def decide(self, request: Request) -> Fault | None:
        if self.over or request.operation != self._operation:
            return None
        self._left -= 1
        return self._fault if self._left < 0 else None


class Refuses:
    """Meets the requests of an operation with a fault where they look a certain way.

    Args:
        operation: Which one.
        fault: What they meet.
        where: Whether a request is one of them; all of them by default.
        times: How many of them; then they are answered.

    Attributes:
        met: The requests that met the fault.
    """

    def __init__(
        self,
        operation: str,
        fault: Fault,
        where: Callable[[Request], bool] = lambda _: True,
        times: float = math.inf,
    ) -> None:
        self.met: list[Request] = []
        self._operation = operation
        self._fault = fault
        self._where = where
        self._times = times

    def decide(self, request: Request) -> Fault | None:
        fitting = request.operation == self._operation and self._where(request)
        if not fitting or len(self.met) >= self._times:
            return None
        self.met.append(request)
        return self._fault


def has_page_token(request: Request) -> bool:
    """Return whether a request is for another page than the first."""
    return "nextToken" in request.parameters or "nextPageToken" in request.parameters
