"""Usage plans and token buckets, as in the guide "Usage Plans and Rate Limits"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Monotonic = Callable[[], float]
"""A clock in seconds that never goes back."""


@dataclass(frozen=True)
class Plan:
    """A usage plan: `rate` requests a second in the long run, `burst` of them without a pause."""

    rate: float
    burst: float


class TokenBucket:
    """A bucket that starts full, refills at the plan's rate and loses one token a request."""

    def __init__(self, plan: Plan, monotonic: Monotonic) -> None:
        self._plan = plan
        self._monotonic = monotonic
        self._tokens = plan.burst
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Pay for one request; false if the bucket is empty."""
        now = self._monotonic()
        refill = (now - self._filled_at) * self._plan.rate
        self._tokens = min(self._plan.burst, self._tokens + refill)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Limiter:
    """One bucket for every pair of operation and application."""

    def __init__(self, plans: Mapping[str, Plan], *, enforced: bool, monotonic: Monotonic) -> None:
        self._plans = plans
        self._enforced = enforced
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def take(self, operation: str, application: str) -> bool:
        """Pay for one request to an operation; false if it must be refused."""
        if not self._enforced:
            return True
        key = (operation, application)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(self._plans[operation], self._monotonic)
        return self._buckets[key].take()

    def reset(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()
