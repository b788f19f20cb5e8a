"""Metrics on validation data: torchmetrics' where it is installed, else those four that are most asked for.

Accuracy, F1Score, Precision and Recall take `task`, `num_classes`, `num_labels`, `threshold` and `average` ("micro",
"macro", "weighted"), with torchmetrics' defaults and results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import torch

from ._errors import SwarmError

__all__ = ["Agreement", "Metric", "made_metric"]

_OWN_ARGS = {"task", "num_classes", "num_labels", "threshold", "average"}
#: which count each task needs
_TASKS = {"binary": "", "multiclass": "num_classes", "multilabel": "num_labels"}


class Metric(Protocol):
    """A number over all batches."""

    def update(self, output: torch.Tensor, target: torch.Tensor) -> None:
        """Count a batch."""

    def compute(self) -> dict[str, float]:
        """The numbers by their names."""


def made_metric(name: str, args: Mapping[str, Any]) -> Callable[[], Metric]:
    """What makes the metric of that name, such as "Accuracy", for one pass over the data.

    Raises:
        SwarmError: there is none, it cannot be made, or it needs torchmetrics, which is not installed.
    """
    if find_spec("torchmetrics") is None:
        _demand_own(name, args)
        return lambda: _Counts(name, args)
    made = getattr(import_module("torchmetrics"), name, None)
    if not callable(made):
        raise SwarmError(f"torchmetrics has no {name[:60]!r}: metricFunction is a name such as 'Accuracy'")
    try:
        metric = made(**args)
    except (TypeError, ValueError) as error:
        raise SwarmError(f"{name[:60]} cannot be made with metricFunctionArgs: {str(error)[:100]}") from error
    return lambda: _Theirs(name, metric)


class Agreement:
    """The part of targets that are met; `labels` gives what is predicted and what is true."""

    def __init__(
        self, labels: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
    ) -> None:
        self._labels = labels
        self._met = self._all = 0

    def update(self, output: torch.Tensor, target: torch.Tensor) -> None:
        """Count a batch."""
        found, wanted = self._labels(output, target)
        counted = wanted != -100
        self._met += int(((found == wanted) & counted).sum())
        self._all += int(counted.sum())

    def compute(self) -> dict[str, float]:
        """{"accuracy": 0…1}."""
        return {"accuracy": self._met / self._all} if self._all else {}


class _Theirs:
    def __init__(self, name: str, metric: Any) -> None:
        self._name, self._metric = name, metric
        self._metric.reset()

    def update(self, output: torch.Tensor, target: torch.Tensor) -> None:
        self._metric.to(output.device).update(output, target)

    def compute(self) -> dict[str, float]:
        values = torch.as_tensor(self._metric.compute()).float().reshape(-1).tolist()
        if len(values) == 1:
            return {self._name: values[0]}
        return {f"{self._name}_{number}": value for number, value in enumerate(values[:100])}


class _Counts:
    """What was right and wrong for each class or label, and the metric of it."""

    def __init__(self, name: str, args: Mapping[str, Any]) -> None:
        self._name = name
        self._task = str(args["task"]).lower()
        self._classes = int(args.get(_TASKS[self._task], 1))
        self._threshold = float(args.get("threshold", 0.5))
        self._average = args.get("average", "micro")
        self._table = torch.zeros(4, self._classes, dtype=torch.float64)

    def update(self, output: torch.Tensor, target: torch.Tensor) -> None:
        found, wanted = self._chosen(output.cpu(), target.cpu())
        counts = [(found & wanted), (found & ~wanted), (~found & ~wanted), (~found & wanted)]
        self._table += torch.stack([count.sum(0).double() for count in counts])

    def compute(self) -> dict[str, float]:
        table = self._table.sum(1, keepdim=True) if self._average == "micro" else self._table
        hit, false, right, missed = table
        # Without this, the many right "not this class" of several classes would count as success.
        accuracy = (hit, hit + missed) if self._task == "multiclass" else (hit + right, table.sum(0))
        part, whole = {
            "Accuracy": accuracy,
            "F1Score": (2 * hit, 2 * hit + false + missed),
            "Precision": (hit, hit + false),
            "Recall": (hit, hit + missed),
        }[self._name]
        scores = torch.where(whole > 0, part / whole.clamp_min(1), torch.zeros_like(whole))
        weights = hit + missed if self._average == "weighted" else torch.ones_like(hit)
        if self._average == "macro" and self._task == "multiclass":
            weights[hit + false + missed == 0] = 0
        return {self._name: float((scores * weights).sum() / weights.sum().clamp_min(1e-12))}

    def _chosen(self, output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two tables of truth values, a row for a sample and a column for a class or label."""
        if self._task == "multiclass":
            labels = output.argmax(1) if output.ndim > target.ndim else output
            eye = torch.eye(self._classes, dtype=torch.bool)
            return eye[labels.reshape(-1).long()], eye[target.reshape(-1).long()]
        if output.is_floating_point():
            sure = bool(((output >= 0) & (output <= 1)).all())
            output = (output if sure else output.sigmoid()) > self._threshold
        both = [tensor.bool() for tensor in (output, target)]
        if self._task == "multilabel":
            both = [tensor.movedim(1, -1) for tensor in both]
        found, wanted = (tensor.reshape(-1, self._classes) for tensor in both)
        return found, wanted


def _demand_own(name: str, args: Mapping[str, Any]) -> None:
    task, average = str(args.get("task")).lower(), args.get("average", "micro")
    known = name in {"Accuracy", "F1Score", "Precision", "Recall"} and task in _TASKS
    if not known or {*args} - _OWN_ARGS or average not in {"micro", "macro", "weighted"}:
        raise SwarmError(
            f"metricFunction {name[:40]!r} with {str(dict(args))[:60]} needs torchmetrics: pip install torchmetrics"
        )
    needed = _TASKS[task]
    if needed and not isinstance(args.get(needed), int):
        raise SwarmError(f"{name} of task {task!r} needs {needed!r} in metricFunctionArgs")
