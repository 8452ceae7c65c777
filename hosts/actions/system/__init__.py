"""Acts on hosts as such and what they hold altogether."""
