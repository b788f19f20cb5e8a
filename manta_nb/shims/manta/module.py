"""`from manta.module import Module`."""

from __future__ import annotations

from manta_nb.sdk.module import Module

__all__ = ["Module"]
