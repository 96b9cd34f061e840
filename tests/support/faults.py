"""Faults for scripts of what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from simulator.faults import Serve


class Served:
    """No fault: the request is answered as if nothing had been scripted."""

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        del request
        return await serve()
