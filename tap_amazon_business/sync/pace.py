"""How fast a figure has grown lately. Pure: the time is passed in."""

from __future__ import annotations

from collections import deque

# The recent past is a share of the time so far: what was read in the first minutes, from a full
# bucket or a quiet season, says little after hours.
_RECENT = 1 / 3
_SHORTEST = 60.0

# How many samples the recent past holds at most, about.
_SAMPLES = 100


class Pace:
    """How fast a figure that only grows has grown in the recent past.

    Args:
        now: The time, in seconds.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._samples = deque([(now, 0.0)])

    def note(self, now: float, value: float) -> None:
        """Take note of the figure."""
        recent = self._recent(now)
        spacing = recent / _SAMPLES
        samples = self._samples
        # The last sample moves on until it is far enough from the one before.
        if len(samples) > 1 and now - samples[-2][0] < spacing:
            samples.pop()
        samples.append((now, value))
        while len(samples) > 2 and samples[1][0] <= now - recent:  # noqa: PLR2004 (first and last)
            samples.popleft()

    def per_second(self, now: float) -> float:
        """Return how much it grew in a second, 0 if nothing tells."""
        (since, before), (_, value) = self._samples[0], self._samples[-1]
        return (value - before) / (now - since) if now > since else 0.0

    def _recent(self, now: float) -> float:
        return max(_RECENT * (now - self._began), _SHORTEST)
