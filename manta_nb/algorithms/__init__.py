"""What aggregators are made of: pure functions of models, which know nothing of nodes or machines."""

from __future__ import annotations

from manta_nb.algorithms.geometric import geometric_median
from manta_nb.algorithms.mean import mean
from manta_nb.algorithms.median import coordinate_median

__all__ = ["coordinate_median", "geometric_median", "mean"]
