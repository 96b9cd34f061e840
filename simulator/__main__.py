"""Runs a simulator: `python -m simulator --help`."""

import argparse
import asyncio
import json
import signal
from collections.abc import Sequence
from pathlib import Path

from simulator.limits import Plan
from simulator.options import Options
from simulator.simulator import Simulator
from simulator.world import World


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    chosen = _parser().parse_args(arguments)
    world = World(
        orders=chosen.orders,
        items=chosen.items,
        changed=chosen.changed,
        span_days=chosen.span_days,
        seed=chosen.seed,
        quirks=chosen.quirks,
        regions=chosen.regions,
        without_number=chosen.without_number,
    )
    options = Options(
        limits=chosen.limits,
        rates=chosen.rates,
        announced_rates=chosen.announce,
        latency=chosen.latency_ms / 1000,
        page_size=chosen.page_size,
        empty_pages=chosen.empty_pages,
        token_lifetime=chosen.token_lifetime,
        lacking_roles=frozenset(chosen.lacking_role),
        model=chosen.model,
    )
    asyncio.run(_serve(Simulator(world, options, port=chosen.port), chosen.write_config))


async def _serve(simulator: Simulator, config: Path | None) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)

    def started() -> None:
        if config is not None:
            config.write_text(json.dumps(simulator.config(), indent=2) + "\n", encoding="utf-8")
        print(f"listening on {simulator.url}", flush=True)

    await simulator.serve(stop, started)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Login with Amazon, Selling Partner API and Amazon Business API on loopback.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes any free port (default)")
    add("--orders", type=int, default=3000, help="purchase orders (default: %(default)s)")
    add("--items", type=int, default=3, help="items an order has on average (%(default)s)")
    add(
        "--changed", type=float, default=1 / 3, metavar="FRACTION", help="orders changed once (1/3)"
    )
    add("--span-days", type=float, default=170, help="age of the oldest order (%(default)s)")
    add("--seed", type=int, default=1, help="the same seed gives the same data (%(default)s)")
    add("--regions", type=_regions, default=("US", "CA"), help="comma-joined (US,CA)")
    add(
        "--without-number",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="Amazon Business orders of no purchase order, per purchase order (%(default)s)",
    )
    add("--no-quirks", dest="quirks", action="store_false", help="tidy rows and pages")
    add("--latency-ms", type=float, default=0, help="what every request takes at least")
    add("--no-limits", dest="limits", action="store_false", help="never answer 429")
    add(
        "--rates",
        type=_plans,
        default={},
        metavar="JSON",
        help='usage plans: {"getPurchaseOrders": {"rate": 5, "burst": 10}}',
    )
    add(
        "--announce",
        type=_announced,
        default={},
        metavar="JSON",
        help='rates told in x-amzn-RateLimit-Limit instead: {"getPurchaseOrders": 5}',
    )
    add("--page-size", type=int, default=100, help="rows a page, Amazon Business (%(default)s)")
    add("--empty-pages", action="store_true", help="begin every list with an empty page")
    add("--token-lifetime", type=float, default=3600, metavar="SECONDS", help="(%(default)s)")
    add("--lacking-role", action="append", default=[], metavar="OPERATION", help="repeatable")
    add(
        "--model", type=Path, metavar="FILE", help="answer with the sandbox cases of a swagger file"
    )
    add("--write-config", type=Path, metavar="FILE", help="write a configuration of the tap")
    return parser


def _regions(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _plans(text: str) -> dict[str, Plan]:
    return {operation: Plan(**plan) for operation, plan in json.loads(text).items()}


def _announced(text: str) -> dict[str, float]:
    return {operation: float(rate) for operation, rate in json.loads(text).items()}


if __name__ == "__main__":
    main()
