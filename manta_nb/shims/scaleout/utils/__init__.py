"""See `fedn.utils`."""
