"""Keeps the history of runs."""
