"""The weighted mean of models, checked before it is taken.

This is the server's step of FedAvg: algorithm 1 of H. B. McMahan, E. Moore, D. Ramage, S. Hampson and B. Agüera y
Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from manta_nb.algorithms.structure import take_apart
from manta_nb.algorithms.weighted import weighted_mean

__all__ = ["mean"]

#: dtype kinds a mean is taken of: integers, floats, complex
_KINDS = "iufc"


def mean(
    models: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float] | None = None,
    like: Any = None,
) -> Any:
    """The mean of `models`, array by array, in the structure of a model.

    A model is an array, or nested dicts and lists of arrays; bytes of `numpy_to_bytes` count as arrays. The sum
    is taken in double precision and brought back to the dtype of the array; integers are rounded (to even). A
    model of weight 0 does not count, whatever it holds.

    Args:
        models: `{node_id: model}`, as `results.select` gives it, or a list of models.
        weights: one number ≥ 0 a node (or one a model of a list), such as numbers of samples; None: all alike.
        like: a model whose keys, shapes and dtypes the others must have; None: the first of `models`.

    Returns:
        New arrays; an empty `models` has no mean.

    Raises:
        ValueRefused: two models differ in keys, shape or dtype, or the weights have no mean; the message names
            node and array, what was expected and what came.

    Example:
        >>> found = self.world.results.select("model_params")
        >>> samples = self.world.results.select("n_samples")
        >>> self.world.globals["model_params"] = mean(found, samples)
    """
    return take_apart(models, weights, like, "mean", _KINDS).each(weighted_mean)
