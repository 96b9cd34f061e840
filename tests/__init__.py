"""Tests of the tap, and the simulator they talk to."""
