"""What no public door shows: tests of single modules."""
