"""Swarms on Dask: nodes are hosted by Dask workers, tasks run in child processes of them."""
