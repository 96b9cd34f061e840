"""Real warehouses for the tests: servers, SQL, and what must be in them."""
