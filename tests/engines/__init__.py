"""Real engines for tests: installed, started in namespaces of their own, and cleaned up whatever happens."""
