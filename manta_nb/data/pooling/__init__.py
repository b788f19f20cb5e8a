"""The data folders of all nodes made into one, for a model that is trained centrally."""

from __future__ import annotations

from manta_nb.data.pooling.whole import pool

__all__ = ["pool"]
