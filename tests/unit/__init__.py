"""Tests of single modules, for all that no public door shows."""
