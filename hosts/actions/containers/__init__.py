"""Acts on containers."""
