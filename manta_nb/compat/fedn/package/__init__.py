"""A compute package: how it comes, what is in it, how it is packed."""
