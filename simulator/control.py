"""The control endpoints: counters, expected rows, and changes of the world, as JSON."""

from collections.abc import Callable, Mapping

from aiohttp import web

from simulator.encoding import encode
from simulator.limits import Limiter
from simulator.lwa import LoginWithAmazon
from simulator.stats import Stats
from simulator.truth import truth
from simulator.world import World

PREFIX = "/_simulator/"

_Answer = Callable[[Mapping[str, str]], object]


class Control:
    """Answers everything under `/_simulator/`; needs no token and is not counted."""

    def __init__(
        self, world: World, *, stats: Stats, login: LoginWithAmazon, limiter: Limiter
    ) -> None:
        self._world = world
        self._stats = stats
        self._login = login
        self._limiter = limiter
        self._routes: dict[tuple[str, str], _Answer] = {
            ("GET", "stats"): lambda _: self._stats.to_json(),
            ("GET", "truth"): lambda _: truth(self._world),
            ("POST", "reset"): self._reset,
            ("POST", "change"): self._change,
            ("POST", "revoke"): self._revoke,
        }

    def answer(self, method: str, path: str, query: Mapping[str, str]) -> web.Response:
        """Answer a request to a path under the prefix."""
        route = self._routes.get((method, path.removeprefix(PREFIX)))
        try:
            body = {"error": "no such endpoint"} if route is None else route(query)
            status = 404 if route is None else 200
        except ValueError as error:
            body, status = {"error": str(error)}, 400
        return web.Response(status=status, body=encode(body), content_type="application/json")

    def _reset(self, _: Mapping[str, str]) -> object:
        """Set the counters to zero and fill the buckets."""
        self._stats.reset()
        self._limiter.reset()
        return {}

    def _revoke(self, _: Mapping[str, str]) -> object:
        self._login.revoke_all()
        return {}

    def _change(self, query: Mapping[str, str]) -> object:
        changes = self._world.change(
            fraction=float(query.get("fraction", "0.1")),
            state_only=float(query.get("state_only", "0.05")),
            new=int(query.get("new", "0")),
        )
        return changes.counts()
