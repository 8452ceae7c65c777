"""Pages of registries and their accounts."""
