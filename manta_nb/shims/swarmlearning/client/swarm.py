"""`from swarmlearning.client.swarm import SwarmError`."""

from __future__ import annotations

from .._family import SwarmError  # noqa: TID252 - it is also `swarmlearning`

__all__ = ["SwarmError"]
