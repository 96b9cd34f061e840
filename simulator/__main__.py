"""The command line: `python -m simulator --help`."""

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
        integers=chosen.integers,
    )
    options = Options(
        limits=chosen.limits,
        rates=chosen.rates,
        announced_rates=chosen.announce,
        latency=chosen.latency_ms / 1000,
        page_size=chosen.page_size,
        empty_pages=chosen.empty_pages,
        page_token_lifetime=chosen.page_token_lifetime,
        token_alone=chosen.token_alone,
        token_lifetime=chosen.token_lifetime,
        lwa_clock_ahead=chosen.lwa_clock_ahead,
        no_shipments=chosen.no_shipments,
        refused_numbers=dict(chosen.refuse_number),
        lacking_roles=frozenset(chosen.lacking_role),
        missing_operations=frozenset(chosen.missing_operation),
        none_is_not_found=chosen.none_is_not_found,
        transactions_by_order_date=chosen.transactions_by_order_date,
        sandbox=chosen.sandbox,
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
        description="Serve Login with Amazon, the Selling Partner API and the Amazon Business API.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free port)")
    add("--orders", type=int, default=3000, help="number of purchase orders (default: %(default)s)")
    add(
        "--items",
        type=int,
        default=3,
        help="average number of items per order (default: %(default)s)",
    )
    add(
        "--changed",
        type=float,
        default=1 / 3,
        metavar="SHARE",
        help="share of orders changed after creation (default: 1/3)",
    )
    add(
        "--span-days",
        type=float,
        default=170,
        metavar="DAYS",
        help="age of the oldest order (default: %(default)s)",
    )
    add(
        "--seed",
        type=int,
        default=1,
        help="the same seed generates the same data (default: %(default)s)",
    )
    add(
        "--regions",
        type=_regions,
        default=("US", "CA"),
        metavar="LIST",
        help="Amazon Business regions with orders (default: US,CA)",
    )
    add(
        "--without-number",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="orders without a purchase order, per purchase order (default: %(default)s)",
    )
    add(
        "--integers",
        action="store_true",
        help="send some purchase order numbers and order ids as integers",
    )
    add("--quirks", action="store_true", help="odd rows and pages, and values drawn at random")
    add(
        "--latency-ms",
        type=float,
        default=0,
        metavar="MS",
        help="least time per request (default: %(default)s)",
    )
    add("--no-limits", dest="limits", action="store_false", help="do not enforce usage plans")
    add(
        "--rates",
        type=_plans,
        default={},
        metavar="JSON",
        help='usage plans to enforce, e.g. {"getPurchaseOrders": {"rate": 5, "burst": 10}}',
    )
    add(
        "--announce",
        type=_announced,
        default={},
        metavar="JSON",
        help='rates to announce in x-amzn-RateLimit-Limit, e.g. {"getPurchaseOrders": 5}',
    )
    add(
        "--page-size",
        type=int,
        default=100,
        metavar="ROWS",
        help="page size of Amazon Business (default: %(default)s)",
    )
    add("--empty-pages", action="store_true", help="start every list with an empty page")
    add(
        "--token-lifetime",
        type=float,
        default=3600,
        metavar="SECONDS",
        help="lifetime of access tokens (default: %(default)s)",
    )
    add(
        "--page-token-lifetime",
        type=float,
        metavar="SECONDS",
        help="lifetime of page tokens (default: unlimited)",
    )
    add(
        "--token-alone",
        action="store_true",
        help="refuse pages of getTransactions whose token comes with other parameters",
    )
    add(
        "--lwa-clock-ahead",
        type=float,
        default=0,
        metavar="SECONDS",
        help="shift the Date header of Login with Amazon (default: %(default)s)",
    )
    add(
        "--no-shipments",
        action="store_true",
        help="answer every GetShipmentDetails with 404",
    )
    add(
        "--refuse-number",
        type=_refused,
        action="append",
        default=[],
        metavar="NUMBER=STATUS",
        help="refuse order reports of a purchase order with 400 or 404; can be repeated",
    )
    add(
        "--lacking-role",
        action="append",
        default=[],
        metavar="OPERATION",
        help="refuse this operation with 403; can be repeated",
    )
    add(
        "--missing-operation",
        action="append",
        default=[],
        metavar="OPERATION",
        help="answer this operation with 404; can be repeated",
    )
    add(
        "--none-is-not-found",
        action="store_true",
        help="answer 404 where a purchase order number has no order reports",
    )
    add(
        "--transactions-by-order-date",
        action="store_true",
        help="take the bounds of getTransactions for order dates, not feed dates",
    )
    add(
        "--sandbox",
        action="store_true",
        help="answer only the requests of Amazon's examples, as its static sandbox does",
    )
    add(
        "--model",
        type=Path,
        metavar="FILE",
        help="reply with the sandbox cases of one of Amazon's swagger files",
    )
    add(
        "--write-config",
        type=Path,
        metavar="FILE",
        help="write a configuration for the tap to this file",
    )
    return parser


def _regions(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _refused(text: str) -> tuple[str, int]:
    number, _, status = text.rpartition("=")
    return number, int(status)


def _plans(text: str) -> dict[str, Plan]:
    return {operation: Plan(**plan) for operation, plan in json.loads(text).items()}


def _announced(text: str) -> dict[str, float]:
    return {operation: float(rate) for operation, rate in json.loads(text).items()}


if __name__ == "__main__":
    main()
