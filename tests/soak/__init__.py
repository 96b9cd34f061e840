"""Syncs under faults of all kinds, held against what the simulator has.

`python -m tests.soak` prints one line per seed; its exit status is 1 where anything was lost or
leaked.
"""
