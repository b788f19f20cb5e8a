"""The swarm whose iterations are the merges: its settings, its modules, and what a merge decides."""
