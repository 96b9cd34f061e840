"""Tests of the project: the distributions, the workflows, and the tap as a whole."""
