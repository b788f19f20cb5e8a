"""`from manta.light.globals import Globals`."""

from __future__ import annotations

from manta_nb.sdk.world import Globals

__all__ = ["Globals"]
