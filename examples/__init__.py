"""Programs that show the tap at work."""
