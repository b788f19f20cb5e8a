"""What aggregators are made of: pure functions of models, which know nothing of nodes or machines."""

from __future__ import annotations

from manta_nb.algorithms.mean import mean

__all__ = ["mean"]
