"""The data behind the simulated APIs."""

from tests.simulator.world.changes import Changes
from tests.simulator.world.world import World

__all__ = ["Changes", "World"]
