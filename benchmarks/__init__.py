"""The figures of the design, each measured against a peer in the same run; see `benchmarks/README.md`."""
