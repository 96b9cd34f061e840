"""Tests of the simulator: one test for each of Amazon's rules that it enforces."""
