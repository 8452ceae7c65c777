"""Acts on plugins."""
