"""Each family of streams, over HTTP against the simulator."""
