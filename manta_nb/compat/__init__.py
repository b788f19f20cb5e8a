"""Programs of other systems as modules of ordinary swarms."""
