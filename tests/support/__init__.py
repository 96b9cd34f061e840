"""What the tests share: starters, clocks, faults, and the search for secrets."""
