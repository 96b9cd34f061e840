"""The streams: what each one is, and how it is read."""
