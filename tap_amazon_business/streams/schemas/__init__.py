"""Schemas of the records."""
