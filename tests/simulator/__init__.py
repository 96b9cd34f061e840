"""Amazon's two APIs on loopback: their rules, their quirks, and faults on demand.

`with Simulator(World(orders=100)) as simulator:` serves in a thread;
`python -m tests.simulator` serves from the command line.
"""

from tests.simulator.faults import Cut, Fault, Faults, Hang, Reply, Reset
from tests.simulator.limits import Plan
from tests.simulator.operations import Request
from tests.simulator.options import Options, PageQuirks
from tests.simulator.simulator import Simulator
from tests.simulator.stats import Call, OperationStats, Stats
from tests.simulator.world import Changes, World

__all__ = [
    "Call",
    "Changes",
    "Cut",
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
    "World",
]
