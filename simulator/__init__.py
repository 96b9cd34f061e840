"""Login with Amazon, the Selling Partner API and the Amazon Business API, on loopback.

The simulator enforces what Amazon documents and what clients see in practice: access tokens that
expire, usage plans, limits of date ranges, page tokens, missing roles. It knows nothing of the tap;
anything that speaks HTTP can use it.

From the command line:

    python -m simulator --orders 500 --write-config config.json

serves until SIGTERM, and writes a configuration for the tap. `--help` lists all options.

From Python, in a thread:

    from simulator import Options, Simulator, World

    with Simulator(World(orders=100), Options(latency=0.1)) as simulator:
        config = simulator.config()
        ...
        assert simulator.stats().operations["getPurchaseOrders"].refused == 0

- `World` is the data: purchase orders and all that follows from them, generated from a seed.
  `World.add_order`, `World.change` and others modify them between two syncs. New rows and changes
  may appear later than they are dated; `hide_orders` and `hide_reports` hide rows for a while.
- `Options` are the rules. Each can be switched off or tightened: filters that have no effect,
  operations that are missing, what Amazon's documents leave open.
- `Simulator.rows(stream)` returns what a complete sync of a stream must return, by key.
- `Simulator.fail_next` makes the next requests fail. A policy (`Faults`) decides for every
  request; `simulator.chaos` has one that draws faults of all kinds by seed.
- `World(now=...)` and `Simulator(monotonic=...)` take a clock, so that no test has to wait.

Other programs use the control endpoints, which need no token: `GET /_simulator/stats` and `truth`,
`POST /_simulator/reset`, `revoke` and `change?fraction=0.1&state_only=0.05&new=3`.
"""

from simulator.faults import (
    Cut,
    EndlessHead,
    Fault,
    Faults,
    Hang,
    Reply,
    Reset,
    Trickle,
    WithErrors,
)
from simulator.limits import Plan
from simulator.operations import Request
from simulator.options import Options, PageQuirks
from simulator.simulator import Simulator, published_plans
from simulator.stats import Call, OperationStats, Stats
from simulator.world import Changes, World

__all__ = [
    "Call",
    "Changes",
    "Cut",
    "EndlessHead",
    "Fault",
    "Faults",
    "Hang",
    "OperationStats",
    "Options",
    "PageQuirks",
    "Plan",
    "Reply",
    "Request",
    "Reset",
    "Simulator",
    "Stats",
    "Trickle",
    "WithErrors",
    "World",
    "published_plans",
]
