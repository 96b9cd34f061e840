"""Shared code: starters of simulators and of the tap, catalogs, faults, clocks, leaks."""
