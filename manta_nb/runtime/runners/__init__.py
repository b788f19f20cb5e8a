"""Where a task's code runs. Nothing in this package imports Dask, so a child process stays small."""
