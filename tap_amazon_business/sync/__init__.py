"""What a sync reads, and in which order. Nothing here knows HTTP."""
