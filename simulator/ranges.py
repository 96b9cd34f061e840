"""The rules of vendor operations for date ranges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.errors import invalid_input
from simulator.options import Options
from simulator.times import Millis, parse_text


@dataclass(frozen=True)
class DatePair:
    """A pair of parameters, and the name of the index they search."""

    after: str
    before: str
    index: str


@dataclass(frozen=True)
class Range:
    """A span of time to search an index for; both ends are excluded."""

    index: str
    after: Millis
    before: Millis


def read_ranges(
    query: Mapping[str, str], pairs: Iterable[DatePair], *, now: Millis, options: Options
) -> list[Range]:
    """Read all date ranges of a query, or refuse it as Amazon does.

    Raises:
        ApiError: A bound is not a date or is alone, or the range is too long, too old or
            too fresh.
    """
    ranges: list[Range] = []
    for pair in pairs:
        after, before = _bound(query, pair.after), _bound(query, pair.before)
        if after is None and before is None:
            continue
        if (after is None or before is None) and options.one_bound_fails:
            raise invalid_input()
        oldest = now - options.history
        low = oldest if after is None else after
        high = now if before is None else before
        if low < oldest or (before is not None and before > now - options.freshest_before):
            raise invalid_input()
        if after is not None and before is not None and high - low >= options.longest_range:
            raise invalid_input()
        ranges.append(Range(pair.index, low, high))
    return ranges


def _bound(query: Mapping[str, str], name: str) -> Millis | None:
    if name not in query:
        return None
    try:
        return parse_text(query[name])
    except ValueError:
        raise invalid_input() from None
