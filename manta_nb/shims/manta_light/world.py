"""`from manta_light.world import World`."""

from __future__ import annotations

from manta_nb.sdk.world import World

__all__ = ["World"]
