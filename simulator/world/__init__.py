"""The data behind the simulated APIs."""

from simulator.world.changes import Changes
from simulator.world.world import World

__all__ = ["Changes", "World"]
