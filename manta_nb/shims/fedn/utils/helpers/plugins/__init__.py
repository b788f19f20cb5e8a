"""The helpers; a package may put its own beside them."""
