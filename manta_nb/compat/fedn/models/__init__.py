"""Models in memory and in files."""
