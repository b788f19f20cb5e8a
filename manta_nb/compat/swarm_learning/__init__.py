"""Scripts written for HPE Swarm Learning as modules of an ordinary swarm, whose iterations are the merges."""
