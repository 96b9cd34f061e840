"""Faults of all kinds, drawn by seed and bounded by what a client has to put up with.

What happens to a request follows from the seed and from what is asked for, not from the moment
or the thread: the operation, its parameters, which page of its list it is, and how often it was
asked for before. Two things depend on the moment all the same: tokens are revoked only where no
request would meet its second refused token, and stalls are few.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from aiohttp import web

from simulator.faults import Fault, Serve
from simulator.mishaps import Kind, draw
from simulator.operations import Request
from simulator.server import TOKEN_OPERATION

PAGE_TOKENS = ("nextToken", "nextPageToken")

MOST = 7
"""Faults a request meets in a row at most: one less than a client's tries."""

MOST_AT_SIGN_IN = 3
"""Fewer, as two applications ask the same question of the token endpoint."""

MOST_REFUSED_PAGES = 3
"""Refusals of one page token in a row at most."""

QUIET_AFTER_REVOKING = 40
"""Requests that must be answered before tokens are revoked again: none is then on its way with
a token from before."""

WEIGHTS: Mapping[Kind, float] = {
    Kind.QUOTA: 2,
    Kind.QUOTA_WAIT: 2,
    Kind.SERVER_ERROR: 4,
    Kind.HTML: 2,
    Kind.EMPTY: 2,
    Kind.BLANK: 2,
    Kind.ECHO: 1,
    Kind.TRUNCATED: 2,
    Kind.NOT_JSON: 1,
    Kind.BAD_GZIP: 0.5,
    Kind.RESET: 2,
    Kind.CUT: 2,
    Kind.STALL: 0.2,
    Kind.PAGE: 4,
    Kind.AUTH: 1,
    Kind.REVOKED: 1,
}
_ONCE = frozenset({Kind.AUTH, Kind.REVOKED, Kind.STALL})
_NOT_AT_SIGN_IN = frozenset({Kind.AUTH, Kind.REVOKED, Kind.PAGE})
_LENGTHS = (1, 1, 1, 1, 2, 2, 3, 4, 5, MOST)

Place = tuple[str, str, tuple[tuple[str, str], ...], int]
"""Operation, argument or body, parameters without the page token, and number of the page."""


@dataclass
class _Visit:
    """A request that has not been answered properly yet, however often it was tried.

    Attributes:
        script: What it still has to meet.
        rng: Decides how.
        refused_token: Whether it has met a refused access token.
    """

    script: deque[Kind]
    rng: Random
    refused_token: bool = False


class Watched:
    """A fault or none, and a callback for the status of the answer.

    Attributes:
        kind: What goes wrong, if anything does.
        ended: Called with the status of the answer.
    """

    def __init__(
        self, kind: Kind | None, fault: Fault | None, ended: Callable[[int], None]
    ) -> None:
        self.kind = kind
        self.ended = ended
        self._fault = fault

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        """Answer, with the fault or properly."""
        if self._fault is None:
            response = await serve()
        else:
            response = await self._fault.answer(request, serve)
        self.ended(response.status)
        return response


class Chaos:
    """Draws faults for requests.

    Args:
        seed: Decides what happens to which request.
        rate: The share of the requests that meet faults: one, or up to seven in a row.
        final: The share of the requests that meet a refusal that no client may try again.
        stalls: The most stalls in all; each takes a client's timeout of real time.
        stall: Seconds that one lasts.
        weights: How often each kind is drawn; by default all but `Kind.FINAL`.
        longest: The most faults in a row.

    Attributes:
        met: How often each kind was met.
        refused: The arguments of requests that were refused for good.
        revoke: Revokes all access tokens.
    """

    def __init__(
        self,
        seed: int,
        *,
        rate: float = 0.1,
        final: float = 0.0,
        stalls: int = 2,
        stall: float = 1.5,
        weights: Mapping[Kind, float] = WEIGHTS,
        longest: int = MOST,
    ) -> None:
        self.met: Counter[Kind] = Counter()
        self.refused: set[str] = set()
        self.revoke: Callable[[], object] = _nothing
        self._seed = seed
        self._rate = rate
        self._final = final
        self._stalls = stalls
        self._stall = stall
        self._weights = weights
        self._longest = longest
        self._open: dict[Place, _Visit] = {}
        self._visits: Counter[Place] = Counter()
        self._pages: defaultdict[Place, dict[str, int]] = defaultdict(dict)
        self._answered_since = QUIET_AFTER_REVOKING

    def decide(self, request: Request) -> Watched:
        """Return what a request meets; also where that is nothing, to learn how it ends."""
        place = self._place(request)
        visit = self._open.get(place)
        if visit is None:
            self._visits[place] += 1
            visit = self._open[place] = self._visit(place, self._visits[place])
        kind = self._next(visit)
        fault = None
        if kind is not None:
            self.met[kind] += 1
            if kind is Kind.FINAL:
                self.refused.add(request.argument)
            fault = draw(kind, visit.rng, stall=self._stall, revoke=self.revoke)
        return Watched(kind, fault, lambda status: self._ended(place, kind, status))

    def settle(self, *, final: float | None = None) -> None:
        """Forget the requests that were given up. Call it when a client has ended.

        Args:
            final: The share of refusals from here on, if it changes.
        """
        self._open.clear()
        self._final = self._final if final is None else final

    def _place(self, request: Request) -> Place:
        rest = tuple(
            sorted((n, text) for n, text in request.parameters.items() if n not in PAGE_TOKENS)
        )
        page = 0
        for name in PAGE_TOKENS:
            if token := request.parameters.get(name):
                tokens = self._pages[request.operation, request.argument, rest, 0]
                page = tokens.setdefault(token, len(tokens) + 1)
        return request.operation, request.argument or request.body.decode(), rest, page

    def _visit(self, place: Place, number: int) -> _Visit:
        rng = Random(f"{self._seed} {place} {number}")
        if rng.random() < self._final and place[0] != TOKEN_OPERATION:
            return _Visit(deque([Kind.FINAL]), rng)
        if rng.random() >= self._rate:
            return _Visit(deque(), rng)
        signing_in, paging = place[0] == TOKEN_OPERATION, place[3] > 0
        length = min(rng.choice(_LENGTHS), MOST_AT_SIGN_IN if signing_in else self._longest)
        script: deque[Kind] = deque()
        for _ in range(length):
            kinds = [
                kind
                for kind in self._weights
                if not (kind in _ONCE and not _ONCE.isdisjoint(script))
                and not (kind is Kind.PAGE and script.count(kind) == MOST_REFUSED_PAGES)
                and (paging or kind is not Kind.PAGE)
                and not (signing_in and kind in _NOT_AT_SIGN_IN)
            ]
            if not kinds:
                break
            script.append(rng.choices(kinds, [self._weights[kind] for kind in kinds])[0])
        return _Visit(script, rng)

    def _next(self, visit: _Visit) -> Kind | None:
        """Return what a request meets now, without what it may not meet."""
        while visit.script:
            kind = visit.script.popleft()
            if kind is Kind.AUTH and visit.refused_token:
                continue
            if kind is Kind.REVOKED and not self._may_revoke():
                continue
            if kind is Kind.STALL:
                if not self._stalls:
                    continue
                self._stalls -= 1
            if kind is Kind.REVOKED:
                self._answered_since = 0
            if kind in {Kind.AUTH, Kind.REVOKED}:
                visit.refused_token = True
            return kind
        return None

    def _may_revoke(self) -> bool:
        return self._answered_since >= QUIET_AFTER_REVOKING and not any(
            visit.refused_token for visit in self._open.values()
        )

    def _ended(self, place: Place, kind: Kind | None, status: int) -> None:
        """Record how a request that met no fault was answered."""
        visit = self._open.get(place)
        if visit is None:
            return
        if status in {401, 403}:
            visit.refused_token = True
            if place[0] != TOKEN_OPERATION:
                # Others may still come with the token that has just been refused.
                self._answered_since = 0
        elif kind is None and status == 200:
            del self._open[place]
            self._answered_since += 1


def _nothing() -> None:
    """Revoke nothing: `revoke` was not set."""
