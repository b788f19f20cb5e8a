"""Curves with fewer points, for a notebook that shall stay small: pure functions from arrays to short texts.

Numbers are written as one text with spaces between: a notebook's file gives each element of a list a line of its own.
Lines of the same length share one x axis; where points are left out, the first and the last stay, and a band keeps
the lowest and the highest of what it leaves out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.session.curves import Curve

__all__ = ["kept", "numbers", "thin_curve", "thin_line"]

Array = npt.NDArray[Any]


def kept(length: int, most: int) -> Array:
    """Which of `length` points stay: `most` of them, evenly, with the first and the last."""
    if length <= most:
        return np.arange(length)
    return np.unique(np.linspace(0, length - 1, max(2, most)).round().astype(np.int64))


def thin_line(x: Array, y: Array, most: int) -> tuple[str, str]:
    """At most `most` points of a line."""
    chosen = kept(len(x), most)
    return numbers(x[chosen], 8), numbers(y[chosen])


def thin_curve(curve: Curve, most: int) -> dict[str, str]:
    """At most `most` points of a band, as `{"x", "mean", "low", "high", "n"}`.

    A point stands for those since the one before it: its low and high are theirs. `n` is one number where all are
    the same.
    """
    chosen = kept(len(curve.x), most)
    if not len(chosen):
        return {"x": "", "mean": "", "low": "", "high": "", "n": ""}
    counts = curve.n[chosen]
    starts = np.concatenate([[0], chosen[:-1] + 1])
    return {
        "x": numbers(curve.x[chosen], 8),
        "mean": numbers(curve.mean[chosen]),
        "low": numbers(np.fmin.reduceat(curve.low, starts)),
        "high": numbers(np.fmax.reduceat(curve.high, starts)),
        "n": numbers(counts if np.ptp(counts) else counts[:1], 8),
    }


def numbers(values: Array, digits: int = 5) -> str:
    """The values with so many significant digits: `1.25 3 nan`."""
    return " ".join(f"{value:.{digits}g}" for value in values.tolist())
