"""A node that runs a training script: its folders, its process, and its turns in the swarm."""
