"""Runs the benchmarks: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import Bench
from benchmarks.topics.backfill import backfill
from benchmarks.topics.cost import cpu, memory
from benchmarks.topics.growth import comparison, growth
from benchmarks.topics.reports import order_reports
from benchmarks.topics.together import together
from benchmarks.topics.week import SCHEDULES, week

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.tables import Table

PROJECT = Path(__file__).parent.parent

TOPICS: dict[str, Callable[[Bench], Iterator[Table]]] = {
    "A": backfill,
    "B": order_reports,
    "C": cpu,
    "D": memory,
    "E": growth,
    "F": comparison,
    "G": week,
    "H": together,
}
PLOTTED = {"E", "F"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print one table per topic, and write each as JSON."""
    chosen = _parser().parse_args(arguments)
    topics = [name for name in TOPICS if name in chosen.only]
    if chosen.quick:
        topics = [name for name in topics if name != "F"]
    folder = "bench-quick" if chosen.quick else "bench"
    output: Path = chosen.output or PROJECT / "output" / folder
    output.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        quick=chosen.quick,
        files=output / "runs",
        environments=chosen.peers,
        uv=chosen.uv,
        monthly=chosen.monthly,
        schedules=chosen.schedules,
        syncs=chosen.syncs,
    )
    started = time.monotonic()
    texts = [_machine(output, topics, quick=chosen.quick)]
    for topic in topics:
        for table in TOPICS[topic](bench):
            table.write(output)
            texts.append(table.text())
            print(f"\n{texts[-1]}", flush=True)
    (output / "tables.md").write_text("\n".join(texts), encoding="utf-8")
    if PLOTTED.intersection(topics):
        svg = output / "bench.svg" if chosen.quick else chosen.svg
        subprocess.run([sys.executable, "-m", "benchmarks.plot", output, svg], check=True)
        print(f"Plot: {_shown(svg)}")
    print(f"Tables: {_shown(output)}; {time.monotonic() - started:.0f} seconds")


def _machine(output: Path, topics: Sequence[str], *, quick: bool) -> str:
    """Write down and print where this was measured."""
    facts = {
        "CPUs": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("singer-sdk", "msgspec", "requests")},
        "topics": " ".join(topics),
        "quick": quick,
    }
    (output / "machine.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    text = ", ".join(f"{name} {value}" for name, value in facts.items())
    print(text, flush=True)
    return f"{text}\n"


def _shown(path: Path) -> Path:
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the tap against the simulator, and two peers beside it.",
        epilog="A backfill, B order reports, C CPU, D memory, E growth, F peers, G a week, H all",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="smaller numbers, no peers: about two minutes")
    add("--only", type=_topics, default=frozenset(TOPICS), metavar="A,B", help="only these topics")
    add("--output", type=Path, help="where tables go (output/bench; quick: output/bench-quick)")
    add("--svg", type=Path, default=PROJECT / "docs" / "bench.svg", help="the plot")
    add("--peers", type=Path, default=PROJECT / ".tools" / "peers", help="their environments")
    add("--uv", type=Path, default=PROJECT / ".tools" / "uv" / "bin" / "uv", help="makes them")
    week_of = parser.add_argument_group("topic G")
    add = week_of.add_argument
    add("--monthly", type=_numbers, default=(), metavar="N,N", help="orders a month (3500)")
    add("--schedules", type=_schedules, default=(), metavar="NAME,NAME", help=", ".join(SCHEDULES))
    add("--syncs", type=int, default=0, help="at most so many of each schedule")
    return parser


def _topics(text: str) -> frozenset[str]:
    names = frozenset(text.upper().split(","))
    if unknown := names - TOPICS.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _schedules(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - SCHEDULES.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    main()
