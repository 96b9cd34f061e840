"""Amazon's two APIs: a request in, an answer out. Nothing here knows Singer."""
