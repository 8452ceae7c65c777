"""Acts on networks."""
