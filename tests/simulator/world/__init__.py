"""The data behind the simulated APIs."""

from tests.simulator.world.world import Changes, World

__all__ = ["Changes", "World"]
