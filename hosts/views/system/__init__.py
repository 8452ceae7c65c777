"""Pages of hosts as such and what they hold altogether."""
