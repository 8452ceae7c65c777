"""Acts on volumes."""
