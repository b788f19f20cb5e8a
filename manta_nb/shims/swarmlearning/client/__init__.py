"""Where `SwarmError` stands in HPE's package: `swarmlearning.client.swarm`."""
