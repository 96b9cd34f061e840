"""How often a request is tried, and how long is waited in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Five tries fail about one long sync in ten on a bad day. Eight, with waits of at most
# 1 + 2 + 4 + 8 + 16 + 32 + 60 seconds, bridge an outage of a minute and end within about two
# minutes, plus what the requests themselves take to time out.
MAX_TRIES = 8
_LONGEST_WAIT = 60

# A page token refused this often in a row is not refused in passing.
MAX_PAGE_TRIES = 4


def waits(jitter: Callable[[float], float] = backoff.full_jitter) -> Iterator[float]:
    """Yield the seconds to wait after the first try, the second, and so on, without end."""
    growing = backoff.expo(base=2, factor=1, max_value=_LONGEST_WAIT)
    next(growing)  # backoff's generators begin with an empty step
    for longest in growing:
        yield jitter(longest)
