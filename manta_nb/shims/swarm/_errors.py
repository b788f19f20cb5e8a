"""The one error of Swarm Learning programs."""

from __future__ import annotations

__all__ = ["SwarmError"]


class SwarmError(Exception):
    """A parameter that cannot be right, a model that cannot be merged, or a swarm that cannot be reached."""
