"""Lists in pages: a snapshot is taken at the first request, and tokens point into it."""

import base64
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.errors import invalid_input
from simulator.limits import Monotonic
from simulator.options import PageQuirks

Pages = Sequence[Sequence[int]]
"""Row numbers, page by page."""

KEPT_LISTS = 5_000


def paginate(
    rows: Sequence[int], size: int, *, rng: Random, quirks: PageQuirks, empty_first: bool
) -> Pages:
    """Cut a list into pages and make some of them odd.

    Args:
        rows: Row numbers in the order to be sent.
        size: Rows a page.
        rng: Decides which pages are odd.
        quirks: How many are.
        empty_first: Begin with an empty page.
    """
    pages: list[list[int]] = [[]] if empty_first else []
    if not rows:
        return [*pages, []]
    previous: list[int] = []
    sent = 0
    while sent < len(rows):
        repeats = size > 1 and bool(previous) and rng.random() < quirks.repeated_row
        page = list(rows[sent : sent + size - repeats])
        sent += len(page)
        if repeats:
            page.insert(rng.randrange(len(page) + 1), rng.choice(previous))
        if rng.random() < quirks.empty_page:
            pages.append([])
        pages.append(page)
        previous = page
    # A list whose last rows carry a token all the same ends with nothing.
    return [*pages, []] if rng.random() < quirks.empty_page else pages


@dataclass(frozen=True)
class Page:
    """One page: its row numbers, its place, and the token of the one after it."""

    rows: Sequence[int]
    number: int
    next_token: str | None


@dataclass(frozen=True)
class _Snapshot:
    parameters: Mapping[str, str]
    pages: Pages
    issued: dict[int, float] = field(default_factory=dict)
    """When the token of a page was handed out last."""


class Cursors:
    """Remembers the lists begun, so that a token gives the same page however often it is sent.

    Args:
        lifetime: Seconds until a token is refused, counted from the page that held it last.
        monotonic: The clock they are counted by.
    """

    def __init__(self, *, lifetime: float | None, monotonic: Monotonic) -> None:
        self._lifetime = lifetime
        self._monotonic = monotonic
        self._lists: OrderedDict[str, _Snapshot] = OrderedDict()
        self._begun = 0

    def begin(self, parameters: Mapping[str, str], pages: Pages) -> Page:
        """Remember a new list and return its first page.

        Args:
            parameters: Everything that must come with its tokens unchanged.
            pages: The list's rows.
        """
        self._begun += 1
        key = f"{self._begun:06d}"
        self._lists[key] = _Snapshot(parameters, pages)
        if len(self._lists) > KEPT_LISTS:
            self._lists.popitem(last=False)
        return self._page(key, 0)

    def follow(self, parameters: Mapping[str, str] | None, token: str) -> Page:
        """Return the page a token leads to.

        Args:
            parameters: What it must have been given for; None if it comes alone.
            token: The token.

        Raises:
            ApiError: The token is unknown or too old, or was given for other parameters.
        """
        try:
            key, _, number = base64.b64decode(token, validate=True).decode().partition(".")
            snapshot = self._lists[key]
            page = int(number)
        except (ValueError, KeyError):
            raise invalid_input() from None
        if parameters not in (None, snapshot.parameters) or page not in snapshot.issued:
            raise invalid_input()
        age = self._monotonic() - snapshot.issued[page]
        if self._lifetime is not None and age > self._lifetime:
            raise invalid_input()
        return self._page(key, page)

    def _page(self, key: str, number: int) -> Page:
        snapshot = self._lists[key]
        rows, following = snapshot.pages[number], number + 1
        if following == len(snapshot.pages):
            return Page(rows, number, None)
        snapshot.issued[following] = self._monotonic()
        token = base64.b64encode(f"{key}.{following:04d}".encode()).decode()
        return Page(rows, number, token)
