"""Pages of swarms: nodes, services, tasks, stacks, secrets and configs."""
