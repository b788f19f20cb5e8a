"""Validation data in all the forms that scripts give them, as batches, again after every merge."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from ._errors import SwarmError

__all__ = ["Batches", "pair"]

#: samples in a batch where the script gives no size
_BATCH = 128
#: batches that are taken from what may never end
_MOST = 100


class Batches:
    """The batches of a DataLoader, Dataset, pair of arrays, generator, or list of batches.

    A generator gives its batches once: they are kept, the first 100 of them.
    """

    def __init__(self, data: Any, batch_size: int | None, logger: Any) -> None:
        self._logger = logger
        self._source: Iterable[Any] | None = _repeatable(data, batch_size or _BATCH)
        self._stream: Iterator[Any] | None = iter(data) if self._source is None else None

    def __iter__(self) -> Iterator[Any]:
        if self._source is None:
            self._source = _kept(self._stream or iter(()), self._logger)
        return iter(self._source)


def pair(batch: Any, place: torch.Tensor) -> tuple[Any, torch.Tensor]:
    """Input and target of a batch, on the device of `place`, and the input in its precision.

    Raises:
        TypeError: the batch is no pair.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"a batch has to be a pair of input and target, got a {type(batch).__name__}")
    data, target = (_moved(part, place) for part in batch)
    if not isinstance(target, torch.Tensor):
        raise TypeError(f"a batch's target has to be a tensor, got a {type(target).__name__}")
    exact = target.is_floating_point() or target.dtype == torch.bool
    return _as_precise(data, place), target if exact else target.long()


def _repeatable(data: Any, batch_size: int) -> Iterable[Any] | None:
    """What can be gone through again and again; None for what can be once."""
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, IterableDataset):
        loader: DataLoader[Any] = DataLoader(data, batch_size=batch_size)
        return _Some(loader)
    if isinstance(data, Dataset):
        return DataLoader(data, batch_size=batch_size)
    if isinstance(data, (tuple, list)) and len(data) == 2 and all(_is_array(part) for part in data):
        tensors = [torch.as_tensor(part) for part in data]
        return DataLoader(TensorDataset(*tensors), batch_size=batch_size)
    if hasattr(data, "__next__"):
        return None
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes, dict)):
        return _Some(data)
    raise SwarmError(
        "validation data have to be a pair of arrays, a Dataset, a DataLoader or a generator, "
        f"got {type(data).__name__}"
    )


class _Some:
    """The first batches of what may go on for ever."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(iter(self._batches), _MOST)


def _kept(stream: Iterator[Any], logger: Any) -> list[Any]:
    kept = list(itertools.islice(stream, _MOST))
    if len(kept) == _MOST:
        logger.info("the first %d batches of the generator are the validation data", _MOST)
    return kept


def _is_array(part: Any) -> bool:
    return isinstance(part, (torch.Tensor, np.ndarray)) or hasattr(part, "__array__")


def _moved(part: Any, place: torch.Tensor) -> Any:
    if isinstance(part, torch.Tensor):
        return part.to(place.device)
    if _is_array(part):
        return torch.as_tensor(np.asarray(part)).to(place.device)
    return part


def _as_precise(data: Any, place: torch.Tensor) -> Any:
    """float64 of numpy becomes the model's float32."""
    if isinstance(data, torch.Tensor) and data.is_floating_point() and place.is_floating_point():
        return data.to(place.dtype)
    return data
