"""What a user writes: modules, swarms and tasks, and the values that travel. Plain Python and numpy, nothing else."""
