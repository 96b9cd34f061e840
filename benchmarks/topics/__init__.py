"""The measurements, topic by topic."""
