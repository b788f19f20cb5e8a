"""The rounds of a package as tasks of a swarm, and what a node does in them."""
