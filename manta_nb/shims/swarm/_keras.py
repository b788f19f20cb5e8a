"""Keras models: their weights go out and come back in place, known by their paths."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._errors import SwarmError
from ._framework import Arrays, Scores, demand_match
from ._settings import Settings

__all__ = ["KerasModel"]

#: batches that are taken from what may never end
_MOST = 100


class KerasModel:
    """The model that Keras gives to its callbacks; `current` asks for it anew each time, as JAX needs."""

    platform = "KERAS"

    def __init__(self, current: Callable[[], Any], settings: Settings, logger: Any) -> None:
        self._current, self._logger = current, logger
        self._data = settings.val_data
        self._batch_size = settings.val_batch_size
        self._kept: list[Any] | None = None
        self._given_up = self._data is None

    def ready(self) -> bool:
        """False before the first batch of a model that does not know its inputs."""
        model = self._model()
        return bool(model.built and model.weights)

    def read(self) -> dict[str, np.ndarray]:
        """The weights by path, by index where two have the same."""
        return {name: _array(name, weight) for name, weight in self._weights().items()}

    def load(self, arrays: Arrays) -> None:
        """Assign the arrays to the weights; the optimizer's state stays as it is."""
        weights = self._weights()
        demand_match({name: (*weight.shape,) for name, weight in weights.items()}, arrays)
        for name, weight in weights.items():
            array, now = arrays[name], np.asarray(weight)
            whole = now.dtype.kind in "biu" and array.dtype.kind == "f"
            weight.assign((np.rint(array) if whole else array).astype(now.dtype))

    def evaluate(self) -> Scores:
        """What `model.evaluate` says of the validation data; the metrics of the training epoch stay untouched."""
        if self._given_up:
            return None, {}
        model = self._model()
        counted = _metric_variables(model)
        before = [np.array(variable) for variable in counted]
        history = getattr(model, "history", None)
        try:
            found = model.evaluate(**self._given(), verbose=0, return_dict=True)
        except Exception as error:  # noqa: BLE001 - the model's and the data's own code
            self._given_up = True
            line = f"{type(error).__name__}: {' '.join(str(error).split())[:140]}"
            self._logger.warning("no loss on the validation data, and no more tries: %s", line)
            return None, {}
        finally:
            # those that evaluate made new start from 0 as before
            for variable, value in zip(counted, before):  # noqa: B905 - Python 3.9 has no strict=
                variable.assign(value)
            # tf_keras gives `evaluate` a history as well, and `fit` would return that one
            if history is not None:
                model.history = history
        return _scores(found)

    def stop(self) -> None:
        """End `fit` after this batch."""
        self._model().stop_training = True

    def _model(self) -> Any:
        model = self._current()
        if model is None:
            raise SwarmError(
                "SwarmCallback has no model: give it to model.fit(…, callbacks=[swarm_callback])"
            )
        return model

    def _weights(self) -> dict[str, Any]:
        weights = [*self._model().weights]
        names = [str(getattr(weight, "path", "") or weight.name) for weight in weights]
        if len({*names}) < len(names):
            names = [f"{index} {name}" for index, name in enumerate(names)]
        return dict(zip(names, weights))  # noqa: B905

    def _given(self) -> dict[str, Any]:
        """The arguments of `evaluate`."""
        data = self._data
        if isinstance(data, (tuple, list)) and len(data) in (2, 3):
            names = ("x", "y", "sample_weight")
            return {**dict(zip(names, data)), "batch_size": self._batch_size}  # noqa: B905
        if hasattr(data, "__next__") and not hasattr(data, "__getitem__"):
            if self._kept is None:
                self._kept = [*itertools.islice(data, _MOST)]
            return {"x": _again(self._kept), "steps": len(self._kept)}
        return {"x": data, "steps": _MOST} if _is_endless(data) else {"x": data}


def _array(name: str, weight: Any) -> np.ndarray:
    array = np.asarray(weight)
    if array.dtype.kind in "biuf":
        return array
    try:
        # bfloat16 and the like
        return array.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise SwarmError(f"{name[:80]} is of dtype {array.dtype}, which cannot be merged") from error


def _again(batches: list[Any]) -> Iterator[Any]:
    yield from batches


def _is_endless(data: Any) -> bool:
    """Whether it is a `Dataset` with `repeat()`."""
    cardinality = getattr(data, "cardinality", None)
    return cardinality is not None and int(np.asarray(cardinality())) == -1


def _metric_variables(model: Any) -> list[Any]:
    return [variable for metric in getattr(model, "metrics", []) for variable in metric.variables]


def _scores(found: dict[str, Any]) -> Scores:
    numbers = {str(name): float(value) for name, value in found.items() if np.ndim(value) == 0}
    return numbers.pop("loss", None), numbers
