"""Drivers of peers, each run in an environment of its own; never imported by this project."""
