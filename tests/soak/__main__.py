"""`python -m tests.soak`: many seeds of faults, and some of kills."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.soak import table
from tests.soak.kills import run_kills
from tests.soak.seed import run_seed


def main() -> int:
    """Run the seeds, print what became of them, and return the exit status."""
    chosen = _arguments()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    began = time.monotonic()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, mp_context=spawn) as pool:
        # What takes longest goes first.
        killing = pool.map(partial(run_kills, kills=chosen.kills), seeds[: chosen.killed_seeds])
        syncing = pool.map(partial(run_seed, orders=chosen.orders, rate=chosen.rate), seeds)
        synced, killed = list(syncing), list(killing)
    print(table.seeds(synced))
    if killed:
        print(f"\nKilled {chosen.kills} times each, and resumed from the last state written:")
        print(table.kills(killed))
    if found := table.repeated(synced):
        print(f"\nIdentical rows that came twice in a sync: {found}")
    wrong = table.details([*synced, *killed])
    print(f"\n{wrong or 'Nothing is lost, nothing leaked.'}")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first one (default: 1)")
    parser.add_argument(
        "--orders", type=int, default=150, help="purchase orders of a world (default: 150)"
    )
    parser.add_argument(
        "--rate", type=float, default=0.1, help="share of the requests in trouble (default: 0.1)"
    )
    parser.add_argument(
        "--killed-seeds", type=int, default=2, help="how many are killed, too (default: 2)"
    )
    parser.add_argument("--kills", type=int, default=20, help="how often each (default: 20)")
    parser.add_argument(
        "--jobs",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="seeds in parallel (default: processors, at most 4)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
