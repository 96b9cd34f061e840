"""Amazon's two APIs on loopback: their rules, their quirks, and faults on demand.

`with Simulator(World(orders=100)) as simulator:` serves in a thread;
`python -m simulator` serves from the command line.
"""

from simulator.faults import Cut, Fault, Faults, Hang, Reply, Reset
from simulator.limits import Plan
from simulator.operations import Request
from simulator.options import Options, PageQuirks
from simulator.simulator import Simulator
from simulator.stats import Call, OperationStats, Stats
from simulator.world import Changes, World

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
