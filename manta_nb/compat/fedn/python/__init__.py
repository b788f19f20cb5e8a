"""What a package needs of a Python, and what a node's has."""
