"""PyTorch models: their state goes out and comes back in place, whatever its dtypes, shapes and devices."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from ._errors import SwarmError
from ._framework import Arrays, Scores, demand_match
from ._settings import Settings
from ._torch_validation import Validation

__all__ = ["TorchModel", "demand_torch_model"]

#: dtypes that numpy has under the same name; others travel as float32, complex ones as pairs
_SAME = {
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.float32,
    torch.float64,
}


class TorchModel:
    """The model in `context.model`: whoever replaces it there has the other one merged."""

    platform = "PYTORCH"

    def __init__(self, context: SimpleNamespace, settings: Settings, logger: Any) -> None:
        self._context = context
        self._validation = None if settings.val_data is None else Validation(settings, logger)

    def ready(self) -> bool:
        """False while lazy layers wait for their first batch."""
        return not any(
            torch.nn.parameter.is_lazy(value) for value in self._context.model.state_dict().values()
        )

    def read(self) -> dict[str, np.ndarray]:
        """Parameters and buffers by their names in the state_dict; those on the CPU are views."""
        return {name: _array(name, tensor) for name, tensor in self._state().items()}

    def load(self, arrays: Arrays) -> None:
        """Copy the arrays into parameters and buffers; the optimizer's references and state stay as they are."""
        state = self._state()
        demand_match({name: _shape(tensor) for name, tensor in state.items()}, arrays)
        ready = {
            name: _tensor(arrays[name], tensor)
            for name, tensor in state.items()
            if not _is_shared_out(tensor)
        }
        # strict=False: what is no tensor, as `get_extra_state` gives it, is this node's own
        self._context.model.load_state_dict(ready, strict=False)

    def evaluate(self) -> Scores:
        """Loss and metrics with dropout and the like off; each module's own mode comes back."""
        if self._validation is None:
            return None, {}
        model = self._context.model
        modes = {module: module.training for module in model.modules()}
        model.eval()
        try:
            # Data loaders draw their seeds from torch's generator: trying the model must not change its training.
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                return self._validation.scores(model)
        finally:
            for module, training in modes.items():
                module.training = training

    def stop(self) -> None:
        """Nothing: the loop belongs to the script."""

    def _state(self) -> dict[str, torch.Tensor]:
        state = self._context.model.state_dict()
        lazy = [name for name, value in state.items() if torch.nn.parameter.is_lazy(value)]
        if lazy:
            raise SwarmError(
                f"{lazy[0][:80]} has no size yet: the model has to see a batch before it is merged"
            )
        return {name: value.detach() for name, value in state.items() if isinstance(value, torch.Tensor)}


def demand_torch_model(model: Any) -> None:
    """Demand a model of PyTorch; SwarmError with the type of what is none."""
    if not isinstance(model, torch.nn.Module):
        raise SwarmError(f"model has to be a torch.nn.Module, got {type(model).__name__[:60]}")


def _array(name: str, tensor: torch.Tensor) -> np.ndarray:
    try:
        plain = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        found = (plain if plain.dtype in _SAME else plain.float()).cpu()
        return np.asarray(found.numpy())
    except (RuntimeError, TypeError) as error:
        raise SwarmError(f"{name[:80]} is a tensor that cannot be merged: {str(error)[:80]}") from error


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return (*tensor.shape, 2) if tensor.is_complex() else (*tensor.shape,)


def _tensor(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """The array as a tensor of this dtype; a mean of integers is rounded."""
    whole = not (like.is_floating_point() or like.is_complex())
    if whole and array.dtype.kind == "f":
        array = np.rint(array)
    with warnings.catch_warnings():
        # The array is read-only, and nobody writes to the tensor.
        warnings.simplefilter("ignore", UserWarning)
        tensor = torch.from_numpy(np.asarray(array))
    return torch.view_as_complex(tensor) if like.is_complex() else tensor.to(like.dtype)


def _is_shared_out(tensor: torch.Tensor) -> bool:
    """Whether several elements are one place in memory, as `expand` makes them; nothing can be copied there."""
    return any(step == 0 and length > 1 for step, length in zip(tensor.stride(), tensor.shape))  # noqa: B905
