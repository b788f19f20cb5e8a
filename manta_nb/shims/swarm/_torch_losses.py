"""Losses on validation data: those that scripts name, and those that outputs and targets speak for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch.nn import functional

from ._errors import SwarmError
from ._torch_metrics import Agreement, Metric

__all__ = ["Loss", "guessed_loss", "named_loss"]

#: how far sums of probabilities may be from 1
_TOLERANCE = 1e-3
#: targets with this class do not count, as everywhere in torch
_IGNORED = -100


class Loss(Protocol):
    """What one batch costs."""

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> tuple[float, int]:
        """The sum over the batch's samples, and how many there are."""

    def metric(self) -> Metric | None:
        """The metric that goes with it; None: no metric."""


def named_loss(name: str, args: Mapping[str, Any]) -> Loss:
    """The loss of torch.nn with that name, such as "CrossEntropyLoss"; SwarmError where it cannot be made."""
    made = getattr(torch.nn, name, None)
    if not isinstance(made, type) or not issubclass(made, torch.nn.Module):
        raise SwarmError(
            f"torch.nn has no loss {name[:60]!r}: lossFunction is a name such as 'CrossEntropyLoss'"
        )
    try:
        return _Named(made(**args))
    except (TypeError, ValueError) as error:
        raise SwarmError(
            f"{name[:60]} cannot be made with lossFunctionArgs {str(dict(args))[:60]}: {error}"
        ) from error


def guessed_loss(output: torch.Tensor, target: torch.Tensor) -> Loss:
    """The loss that fits these outputs and targets; the module `_torch_validation` says which."""
    if _is_one_class(output, target):
        sums = output.float().exp().sum(1) if bool((output <= 0).all()) else output.float().sum(1)
        certain = bool((output >= 0).all()) and bool(((sums - 1).abs() < _TOLERANCE).all())
        return _Classes(probabilities=certain)
    if output.numel() != target.numel():
        raise TypeError(
            f"no loss for outputs of shape {tuple(output.shape)} and targets of {tuple(target.shape)}"
        )
    if bool(((target == 0) | (target == 1)).all()):
        return _Binary(probabilities=bool(((output >= 0) & (output <= 1)).all()))
    return _Squares()


class _Named:
    def __init__(self, function: torch.nn.Module) -> None:
        self._function = function

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> tuple[float, int]:
        value = self._function.to(output.device)(output, target)
        count = len(target)
        if getattr(self._function, "reduction", "mean") == "mean":
            return float(value) * count, count
        return float(value.sum()), count

    def metric(self) -> Metric | None:
        return None


class _Classes:
    """Cross entropy; of log-probabilities it is their negative log-likelihood, as their exponentials sum to 1."""

    def __init__(self, probabilities: bool) -> None:
        self._probabilities = probabilities

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> tuple[float, int]:
        output = output.float()
        scores = output.clamp_min(torch.finfo(output.dtype).tiny).log() if self._probabilities else output
        labels = _labels(output, target)
        count = int((labels != _IGNORED).sum())
        return float(functional.cross_entropy(scores, labels, reduction="sum")), count

    def metric(self) -> Metric | None:
        return Agreement(lambda output, target: (output.argmax(1), _labels(output, target)))


class _Binary:
    def __init__(self, probabilities: bool) -> None:
        self._probabilities = probabilities

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> tuple[float, int]:
        found, wanted = output.float().reshape(-1), target.float().reshape(-1)
        if self._probabilities:
            value = functional.binary_cross_entropy(found, wanted, reduction="sum")
        else:
            value = functional.binary_cross_entropy_with_logits(found, wanted, reduction="sum")
        return float(value), len(wanted)

    def metric(self) -> Metric | None:
        least = 0.5 if self._probabilities else 0.0
        return Agreement(lambda output, target: (output.reshape(-1) > least, target.reshape(-1) > 0))


class _Squares:
    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> tuple[float, int]:
        error = output.float().reshape(-1) - target.float().reshape(-1)
        return float((error * error).sum()), len(error)

    def metric(self) -> Metric | None:
        return None


def _is_one_class(output: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether there is an axis of classes, and each target is one of them."""
    if output.ndim < 2 or output.shape[1] < 2:
        return False
    if target.shape == output.shape:
        return bool(((target == 0) | (target == 1)).all()) and bool((target.sum(1) == 1).all())
    return not target.is_floating_point() and _squeezed(output, target).shape == _without_classes(output)


def _labels(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    if target.shape == output.shape:
        return target.argmax(1)
    return _squeezed(output, target).long()


def _squeezed(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Targets of the shape (N, 1, …) as (N, …)."""
    return target.squeeze(1) if target.ndim == output.ndim and target.shape[1] == 1 else target


def _without_classes(output: torch.Tensor) -> torch.Size:
    return torch.Size((output.shape[0], *output.shape[2:]))
