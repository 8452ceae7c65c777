"""What `make bench` runs: one file a benchmark, each with `run() -> list[Figure]`. docs/performance.md explains them."""
