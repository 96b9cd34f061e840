"""The modules of the package, one file for each."""
