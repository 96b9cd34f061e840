"""The printed tables: a line per seed, a line per seed that was killed, and what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulator.mishaps import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.kills import Kills
    from tests.soak.seed import Result

_SHOWN = 10


def seeds(results: Sequence[Result]) -> str:
    """Return the table of the seeds."""
    heads = ["seed", "order_reports", "clock", *Kind, "faults", "requests", "over plan"]
    heads += ["rows", "lost", "twice", "leaked"]
    lines = [
        [
            str(result.seed),
            result.strategy,
            f"{result.skew.total_seconds() / 60:+.1f}m",
            *_numbers(result),
        ]
        for result in results
    ]
    sums = [sum(column) for column in zip(*map(_counts, results), strict=True)]
    return _table([heads, *lines, ["all", "", "", *map(str, sums)]])


def kills(results: Sequence[Kills]) -> str:
    """Return the table of the seeds that were killed."""
    ends = sorted({end for result in results for end in result.kills})
    windows = ("asked", "by design", "unfinished", "needless")
    names = ["windows", "again by design", "again unfinished", "again needlessly"]
    heads = ["seed", *ends, "faults", *names, "rows", "lost", "leaked"]
    lines = [
        [
            str(value)
            for value in (
                result.seed,
                *(result.kills[end] for end in ends),
                result.faults,
                *(result.windows[name] for name in windows),
                result.compared,
                len(result.problems) - result.windows["needless"],
                result.leaked.total(),
            )
        ]
        for result in results
    ]
    return _table([heads, *lines])


def details(results: Sequence[Result | Kills]) -> str:
    """Return what was lost, leaked or repeated, seed by seed."""
    lines = []
    for result in results:
        found = [f"seed {result.seed}: {problem}" for problem in result.problems]
        found += [f"seed {result.seed}: leaked {text!r}" for text in result.leaked]
        lines += found[:_SHOWN]
        if len(found) > _SHOWN:
            lines.append(f"seed {result.seed}: and {len(found) - _SHOWN} more")
    return "\n".join(lines)


def repeated(results: Sequence[Result]) -> str:
    """Return the streams in which identical rows came twice in a sync."""
    streams: Counter[str] = Counter()
    for result in results:
        streams += result.repeated
    return ", ".join(f"{name}: {count}" for name, count in streams.items())


def _counts(result: Result) -> list[int]:
    return [
        *(result.met[kind] for kind in Kind),
        result.met.total(),
        result.requests,
        result.refused,
        result.compared,
        len(result.problems),
        result.repeated.total(),
        result.leaked.total(),
    ]


def _numbers(result: Result) -> list[str]:
    return [str(count) for count in _counts(result)]


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in lines
    )
