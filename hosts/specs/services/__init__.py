"""What a service of a swarm is made of, and its forms: the engine's ServiceSpec (made, changed and read back) and a
compose service with `deploy`. As in hosts.specs, nothing here talks to anybody."""
