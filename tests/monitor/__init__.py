"""The live monitor: recorded feeds, and what makes them."""
