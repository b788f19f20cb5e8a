"""How good a PyTorch model is on the validation data: a loss, the mean over the samples, and metrics.

Which ones, where the script names none, is decided by the first batch of outputs and targets, and then kept:

* integer targets, outputs with an axis of classes after the first: cross entropy, where outputs may be scores (logits),
  log-probabilities (then it is the negative log-likelihood) or probabilities; and "accuracy", the part of targets
  whose class has the highest output.
* one output for each target, all targets 0 or 1: binary cross entropy, where outputs in 0…1 count as probabilities and
  others as logits; and "accuracy" at probability ½.
* targets of the outputs' shape that are 1 for one class and 0 for the others: as with integer targets.
* everything else of one shape is regression: mean squared error, no metric.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ._errors import SwarmError
from ._framework import Scores
from ._settings import Settings
from ._torch_batches import Batches, pair
from ._torch_losses import Loss, guessed_loss, named_loss
from ._torch_metrics import Metric, made_metric

__all__ = ["Validation"]

Made = tuple[Loss, "Metric | None"]


class Validation:
    """The data, and what is computed on them; SwarmError for data or names that cannot be right."""

    def __init__(self, settings: Settings, logger: Any) -> None:
        self._logger = logger
        self._batches = Batches(settings.val_data, settings.val_batch_size, logger)
        self._named = settings.loss is not None or settings.metric is not None
        self._loss = None if settings.loss is None else named_loss(settings.loss, settings.loss_args)
        self._metric: Callable[[], Metric] | None = None
        if settings.metric is not None:
            self._metric = made_metric(settings.metric, settings.metric_args)
        self._given_up = False

    def scores(self, model: Any) -> Scores:
        """Loss and metrics of the model as it is.

        Raises:
            SwarmError: the loss or metric that the script names cannot be computed. One that was chosen here is
                given up with a warning instead: it is for the display.
        """
        if self._given_up:
            return None, {}
        try:
            return self._scores(model)
        except Exception as error:
            if self._named:
                raise SwarmError(f"no loss or metric on the validation data: {_line(error)}") from error
            self._logger.warning("no loss on the validation data, and no more tries: %s", _line(error))
            self._given_up = True
            return None, {}

    def _scores(self, model: Any) -> Scores:
        place = next((tensor for tensor in (*model.parameters(), *model.buffers())), torch.empty(0))
        metric = None if self._metric is None else self._metric()
        total, count = 0.0, 0
        for batch in self._batches:
            data, target = pair(batch, place)
            output = _first(model(data))
            if self._loss is None:
                self._loss = guessed_loss(output, target)
            if metric is None:
                metric = self._loss.metric()
            value, samples = self._loss(output, target)
            total, count = total + value, count + samples
            if metric is not None:
                metric.update(output, target)
        if not count:
            return None, {}
        return total / count, {} if metric is None else metric.compute()


def _first(output: Any) -> torch.Tensor:
    """The tensor among what a model returns: itself, its `logits`, or the first of several."""
    found = getattr(output, "logits", output)
    if isinstance(found, (tuple, list)) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise TypeError(f"the model returns a {type(output).__name__}, not a tensor")
    return found


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:140]}"
