"""The streams, by API."""
