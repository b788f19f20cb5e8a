"""Clients of Flower inside a compute package."""
