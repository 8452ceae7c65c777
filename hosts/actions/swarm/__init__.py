"""Acts on swarms: nodes, services, tasks, stacks, secrets and configs."""
