"""The simulator, but with windows of exactly seven days allowed.

Amazon's text allows them ("must not exceed 7 days"); the simulator refuses them, as users saw it
happen. For a peer that asks for nothing else, the text is taken at its word.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from simulator.options import Options
from simulator.simulator import Simulator
from simulator.times import DAY
from simulator.world import World


def main() -> None:
    """Serve until SIGTERM; other options of the simulator's command line are passed over."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("orders", "items"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("span-days", "latency-ms"):
        parser.add_argument(f"--{name}", type=float, required=True)
    parser.add_argument("--write-config", type=Path, required=True)
    chosen, _ = parser.parse_known_args()
    world = World(orders=chosen.orders, items=chosen.items, span_days=chosen.span_days)
    options = Options(latency=chosen.latency_ms / 1000, longest_range=7 * DAY + 1)
    asyncio.run(_serve(Simulator(world, options), chosen.write_config))


async def _serve(simulator: Simulator, config: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def started() -> None:
        config.write_text(json.dumps(simulator.config()), encoding="utf-8")
        print(f"listening on {simulator.url}", flush=True)

    await simulator.serve(stop, started)


if __name__ == "__main__":
    main()
