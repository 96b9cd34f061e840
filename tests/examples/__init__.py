"""Tests of the examples as they are shipped."""
