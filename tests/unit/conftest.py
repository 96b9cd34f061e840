"""What the unit tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes depends on the machine.
settings.register_profile(
    "unit", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False
)
settings.load_profile("unit")
