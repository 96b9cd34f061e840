"""What the unit tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes depends on the machine. A run tests the same examples as the one before.
settings.register_profile(
    "unit", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("unit")
