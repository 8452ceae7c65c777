"""Acts on registries and their accounts."""
