"""Servers for tests: PostgreSQL, Redis, and the product itself."""
