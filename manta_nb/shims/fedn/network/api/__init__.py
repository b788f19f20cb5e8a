"""The API of a network."""
