"""The tap at work: a simulator of both APIs, Meltano, and DuckDB; no credentials needed.

`make demo` runs it. Two syncs, between which some orders change; then what landed is printed, and
the models of dbt/ make a page of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from typing import Any

import duckdb

from report.__main__ import write
from simulator import Options, Plan, Simulator, World, published_plans
from simulator.truth import truth
from tools import PROJECT
from tools.chain import Chain, ChainFailedError, emitted

OUTPUT = PROJECT / "output" / "demo"
WAREHOUSE = OUTPUT / "warehouse.duckdb"
REPORT = OUTPUT / "report.html"
NOTE = "A made-up account of the simulator's."
ORDERS = 250
SYNC = ("run", "tap-amazon-business", "target-duckdb")
MODELS = "dbt-duckdb:build"

# Amazon allows one request in two seconds for most of Amazon Business: too slow to look on. The
# simulator announces its own rate with each answer, as Amazon does for accounts with another plan,
# and the tap follows it.
FASTER = {
    name: Plan(rate=25, burst=10) for name, plan in published_plans().items() if plan.rate < 10
}


def main(orders: int) -> None:
    """Run the demonstration.

    Args:
        orders: How many purchase orders the simulator has at first.
    """
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    with Simulator(World(orders=orders, quirks=False), Options(rates=FASTER)) as simulator:
        print(f"A simulator of both Amazon APIs serves {orders} purchase orders.")
        chain = _chain(simulator)
        _say("First run: everything")
        _sync(chain)
        first = _tables()
        _show_tables(first, simulator)
        _show_requests(simulator)

        touched = simulator.world.change(fraction=0.05, state_only=0.1, new=15).counts()
        simulator.reset_stats()
        _say(
            f"Second run: {touched['changed']} orders were changed, {touched['state_only']} only "
            f"changed their state, {touched['new']} are new"
        )
        log = _sync(chain, MODELS)
        _show_tables(_tables(), simulator, before=first)
        _show_emitted(log)
        _show_requests(simulator)

        _say("Some of the rows")
        _show_rows()
        _say("The bookmark")
        print(json.dumps(chain.state("demo:tap-amazon-business-to-target-duckdb")))

        _say("The answers")
        write(WAREHOUSE, REPORT, made=datetime.now(UTC), note=NOTE)
        print(f"Open {REPORT.relative_to(PROJECT)} in a browser.")


def _chain(simulator: Simulator) -> Chain:
    # Reports that name another purchase order number than their own come by number only.
    return Chain(
        OUTPUT,
        simulator.config(order_reports_strategy="purchase_order"),
        {"TARGET_DUCKDB_PATH": str(WAREHOUSE)},
        name="demo",
    )


def _sync(chain: Chain, *more: str) -> str:
    """Sync through Meltano and return what it printed; end the demonstration where it fails."""
    command = (*SYNC, *more)
    print(f"$ meltano {' '.join(command)}", flush=True)
    try:
        return chain.run(*command)
    except ChainFailedError as error:
        sys.exit(str(error))


def _query(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(WAREHOUSE), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _tables() -> dict[str, int]:
    names = _query(
        "select table_name from information_schema.tables where table_schema = 'amazon' order by 1"
    )
    return {name: _query(f"select count(*) from amazon.{name}")[0][0] for (name,) in names}  # noqa: S608


def _show_tables(
    tables: dict[str, int], simulator: Simulator, before: dict[str, int] | None = None
) -> None:
    counts = truth(simulator.world)["rows"]
    print(f"{'table':<28}{'rows':>8}{'simulator has':>16}{'new rows':>10}")
    for name, rows in tables.items():
        grown = rows - (before or {}).get(name, 0)
        print(f"{name:<28}{rows:>8}{counts.get(name, '-'):>16}{grown:>10}")


def _show_emitted(log: str) -> None:
    for name, count in emitted(log).items():
        print(f"this run brought {count} records of {name}")


def _show_requests(simulator: Simulator) -> None:
    stats = simulator.stats()
    for name, traffic in stats.operations.items():
        if traffic.requests:
            print(f"{traffic.requests:>6} requests of {name}, {traffic.refused} refused (429)")
    print(f"{sum(stats.token_requests.values()):>6} token requests")


def _show_rows() -> None:
    for row in _query(
        "select o.purchaseordernumber, o.purchaseorderstate, o.lastchangeddate, r.orderid, "
        "r.orderdate, r.charges from amazon.purchase_orders o join amazon.order_reports r "
        "using (purchaseordernumber) order by o.lastchangeddate desc limit 3"
    ):
        print("  ".join(str(value)[:60] for value in row))


def _say(title: str) -> None:
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="purchase orders at first")
    main(parser.parse_args().orders)
