"""Amazon's usage plans: one token bucket per operation and credential set.

Source: "Usage plans and rate limits" in Amazon's Selling Partner API and Amazon Business guides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from tap_amazon_business.api.operations import Operation, UsagePlan
from tap_amazon_business.clock import Clock

# A bucket run at exactly Amazon's figures is refused now and then, as requests do not arrive at
# the pace they were sent: one token of the burst and one per cent of the rate are left unused.
_RATE_SHARE = 0.99
_BURST_SPARE = 1

# After a 429 the pace falls immediately and recovers slowly: another program may be using the plan.
_SLOWER = 0.7
_SLOWEST = 0.1
_RECOVERY = 0.01

# An announced rate below one request an hour must be an error.
_SLOWEST_RATE = 1 / 3600

# Seconds; a rounding error's worth of waiting would not move every clock.
_SHORTEST_WAIT = 1e-4
_LONGEST_SLEEP = 60.0


class TokenBucket:
    """A token bucket that starts full, takes on new rates while threads wait, and slows down.

    PyrateLimiter's bucket counts whole requests per interval and keeps its rate for life; this one
    follows the rate that Amazon announces with each reply.
    """

    def __init__(self, plan: UsagePlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._lock = threading.Lock()
        self._rate = plan.rate
        self._pace = 1.0
        self._capacity = float(max(1, plan.burst - _BURST_SPARE))
        self._tokens = self._capacity
        self._refilled_at = clock.monotonic()
        self._closed_until = self._refilled_at

    @property
    def rate(self) -> float:
        """Return the present rate, in requests a second."""
        return self._rate

    def acquire(self, wait_closed: Callable[[float], bool] | None = None) -> bool:
        """Take one token, waiting until there is one. Every attempt pays, retries included.

        Args:
            wait_closed: Waits while a 429 closes the bucket; returns False to wait no longer.

        Returns:
            Whether there was one.
        """
        while wait := self._take():
            if wait_closed and self._is_closed:
                if not wait_closed(wait):
                    return False
            else:
                # Not for longer: a higher rate may be announced meanwhile.
                self._clock.sleep(min(wait, _LONGEST_SLEEP))
        return True

    def retune(self, rate: float) -> None:
        """Follow the rate that x-amzn-RateLimit-Limit announces, in requests a second."""
        if rate < _SLOWEST_RATE:
            return
        with self._lock:
            self._refill()
            self._rate = min(rate, self._plan.rate) if self._plan.fixed else rate

    def succeeded(self) -> None:
        """Return, little by little, to the full pace."""
        with self._lock:
            self._refill()
            self._pace = min(1.0, self._pace + _RECOVERY)

    def refused(self, retry_after: float = 0) -> None:
        """Empty the bucket after a 429, as Amazon's is empty, and go slower from here."""
        with self._lock:
            self._refill()
            self._tokens = min(self._tokens, 0.0)
            self._pace = max(_SLOWEST, self._pace * _SLOWER)
            self._closed_until = max(self._closed_until, self._refilled_at + retry_after)

    def _take(self) -> float:
        """Take a token and return 0, or return the seconds until the next try makes sense."""
        with self._lock:
            self._refill()
            if self._is_closed:
                return self._closed_until - self._refilled_at
            if self._tokens >= 1:
                self._tokens -= 1
                return 0
            return max((1 - self._tokens) / self._speed, _SHORTEST_WAIT)

    @property
    def _is_closed(self) -> bool:
        return self._refilled_at < self._closed_until

    @property
    def _speed(self) -> float:
        return self._rate * self._pace * _RATE_SHARE

    def _refill(self) -> None:
        now = self._clock.monotonic()
        earned = (now - self._refilled_at) * self._speed
        self._tokens = min(self._capacity, self._tokens + earned)
        self._refilled_at = now


class Limiter:
    """The buckets of one credential set, one per operation, created on first use."""

    def __init__(self, rate_limits: Mapping[str, UsagePlan], clock: Clock) -> None:
        self._rate_limits = rate_limits
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}

    def bucket(self, operation: Operation) -> TokenBucket:
        """Return the operation's bucket."""
        with self._lock:
            if operation.name not in self._buckets:
                plan = self._rate_limits.get(operation.name, operation.plan)
                self._buckets[operation.name] = TokenBucket(plan, self._clock)
            return self._buckets[operation.name]
