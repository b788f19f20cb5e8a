"""`from manta.light.task import Task`."""

from __future__ import annotations

from manta_nb.sdk.task import Task

__all__ = ["Task"]
