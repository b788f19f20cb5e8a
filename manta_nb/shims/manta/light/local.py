"""`from manta.light.local import Local`."""

from __future__ import annotations

from manta_nb.sdk.local import Local

__all__ = ["Local"]
