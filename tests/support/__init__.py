"""What the tests share: starters of simulators and of the tap, catalogs, faults, clocks, leaks."""
