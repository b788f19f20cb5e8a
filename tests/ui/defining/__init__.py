"""Widgets that define."""
