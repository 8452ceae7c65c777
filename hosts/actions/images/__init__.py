"""Acts on images."""
