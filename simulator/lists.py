"""Lists as both APIs return them: unsorted, in pages, and sometimes odd."""

from collections.abc import Callable, Sequence
from random import Random

from simulator.limits import Monotonic
from simulator.operations import Request
from simulator.options import Options, PageQuirks
from simulator.paging import Cursors, Page, paginate

Select = Callable[[], Sequence[int]]
"""Finds the rows of a list, in any order."""

Stray = Callable[[Random], int | None]
"""Draws a row that does not belong to the list."""


class Lists:
    """Starts lists and follows their page tokens.

    Args:
        token: Name of the token parameter.
        seed: Decides on the order of rows and on odd pages.
        quirks: How many pages are odd.
        options: Whether lists start with an empty page, and how long page tokens last.
        monotonic: The clock that page tokens age by.
    """

    def __init__(
        self, *, token: str, seed: int, quirks: PageQuirks, options: Options, monotonic: Monotonic
    ) -> None:
        self._token = token
        self._seed = seed
        self._quirks = quirks
        self._empty_first = options.empty_pages
        self._cursors = Cursors(lifetime=options.page_token_lifetime, monotonic=monotonic)

    def next_page(self, token: str) -> Page:
        """Return the page that a token leads to, without the parameters of its list."""
        return self._cursors.follow(None, token)

    def page(
        self, request: Request, select: Select, *, size: int, stray: Stray | None = None
    ) -> Page:
        """Return the page a request asks for.

        Args:
            request: All its parameters but the token identify the list.
            select: Called where a list begins.
            size: Rows a page.
            stray: Draws a row from outside the list.
        """
        parameters = dict(request.parameters)
        token = parameters.pop(self._token, None)
        identity = {"": f"{request.operation}/{request.argument}", **parameters}
        if token is not None:
            return self._cursors.follow(identity, token)
        rng = Random(f"{self._seed} {sorted(identity.items())}")
        rows = list(select())
        if stray is not None and rng.random() < self._quirks.stray_row:
            found = stray(rng)
            if found is not None and found not in rows:
                rows.append(found)
        rng.shuffle(rows)
        pages = paginate(rows, size, rng=rng, quirks=self._quirks, empty_first=self._empty_first)
        return self._cursors.begin(identity, pages)
