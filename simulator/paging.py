"""Lists in pages: a snapshot is taken at the first request, and tokens point into it."""

import base64
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from simulator.errors import invalid_input
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


class Cursors:
    """Remembers the lists begun, so that a token gives the same page however often it is sent."""

    def __init__(self) -> None:
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

    def follow(self, parameters: Mapping[str, str], token: str) -> Page:
        """Return the page a token leads to.

        Raises:
            ApiError: The token is unknown, or was given for other parameters.
        """
        try:
            key, _, number = base64.b64decode(token, validate=True).decode().partition(".")
            snapshot = self._lists[key]
            page = int(number)
        except (ValueError, KeyError):
            raise invalid_input() from None
        if snapshot.parameters != parameters or not 0 < page < len(snapshot.pages):
            raise invalid_input()
        return self._page(key, page)

    def _page(self, key: str, number: int) -> Page:
        pages = self._lists[key].pages
        more = number + 1 < len(pages)
        token = base64.b64encode(f"{key}.{number + 1:04d}".encode()).decode() if more else None
        return Page(pages[number], number, token)
