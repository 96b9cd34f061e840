"""Costs of the tap, measured against the simulator: requests, time, CPU, memory; and two peers.

`make bench` runs it; `python -m benchmarks --help` lists its options. The simulator runs
in a process of its own, the tap as its command line in another; for a week of syncs (topic G), both
run in one process on a clock that nobody waits for.
"""
