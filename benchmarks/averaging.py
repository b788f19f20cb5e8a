"""The averaging of `benchmarks.dispatch`: this very text runs on our nodes and on the peer's workers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["average"]

#: from so many bytes a model on, a careful person adds up: `np.mean` first copies all of them into one array
LARGE = 5_000_000


def average(updates: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of the updates."""
    if updates[0].nbytes < LARGE:
        return np.asarray(np.mean(updates, axis=0))
    mean = updates[0].copy()
    for update in updates[1:]:
        mean += update
    mean /= len(updates)
    return mean
