"""`from manta.swarm import Swarm`."""

from __future__ import annotations

from manta_nb.sdk.swarm import Swarm

__all__ = ["Swarm"]
