"""The command line and the Singer protocol, over HTTP against the simulator."""
