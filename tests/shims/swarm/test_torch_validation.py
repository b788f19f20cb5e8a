"""Loss and metrics of merged PyTorch models: which ones, and that they are right."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from manta_nb.shims.swarm import SwarmError
from manta_nb.shims.swarm._settings import Settings
from manta_nb.shims.swarm._torch_metrics import _Counts
from manta_nb.shims.swarm._torch_validation import Validation

GENERATOR = torch.Generator().manual_seed(0)
SCORES = torch.randn(10, 3, generator=GENERATOR)
LABELS = torch.randint(0, 3, (10,), generator=GENERATOR)
SINGLE = torch.randn(10, 1, generator=GENERATOR)
BITS = torch.randint(0, 2, (10,), generator=GENERATOR)


class Same(nn.Module):
    """Its outputs are its inputs, so that a test knows them."""

    def __init__(self, after: Any = None) -> None:
        super().__init__()
        self.after = after
        self.place = nn.Parameter(torch.zeros(1))

    def forward(self, data: torch.Tensor) -> Any:
        return data if self.after is None else self.after(data)


def scores(
    data: Any, model: nn.Module | None = None, **settings: Any
) -> tuple[float | None, dict[str, float]]:
    made = Settings(
        family="swarm", sync_interval=1, min_peers=1, val_data=data, **{"val_batch_size": 4, **settings}
    )
    return Validation(made, logging.getLogger("test")).scores(model or Same())


def accuracy(found: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    return {"accuracy": pytest.approx(float((found == wanted).float().mean()))}


@pytest.mark.parametrize("output", [SCORES, SCORES.log_softmax(1), SCORES.softmax(1)])
@pytest.mark.parametrize(
    "target", [LABELS, LABELS.int(), LABELS[:, None], functional.one_hot(LABELS).float()]
)
def test_classes(output: torch.Tensor, target: torch.Tensor):
    """Scores, log-probabilities and probabilities have the same cross entropy, and an accuracy."""
    loss, metrics = scores((output, target))

    assert pytest.approx(float(functional.cross_entropy(SCORES, LABELS)), rel=1e-4) == loss
    assert accuracy(SCORES.argmax(1), LABELS) == metrics


@pytest.mark.parametrize("output", [SINGLE, SINGLE.sigmoid(), SINGLE[:, 0]])
@pytest.mark.parametrize("target", [BITS, BITS.bool(), BITS.float(), BITS[:, None]])
def test_yes_or_no(output: torch.Tensor, target: torch.Tensor):
    """One output for a target of 0 or 1 is binary cross entropy, of logits and of probabilities."""
    loss, metrics = scores((output, target))

    expected = functional.binary_cross_entropy_with_logits(SINGLE[:, 0], BITS.float())
    assert pytest.approx(float(expected), rel=1e-4) == loss
    assert accuracy(SINGLE[:, 0] > 0, BITS.bool()) == metrics


def test_numbers():
    """Other targets of the outputs' shape are regression: the mean squared error, and no metric."""
    target = torch.linspace(-1, 3, 10)

    assert (pytest.approx(float(functional.mse_loss(SINGLE[:, 0], target))), {}) == scores((SINGLE, target))


def test_images_of_classes():
    """A class for each pixel is averaged over pixels."""
    output = torch.randn(5, 3, 4, 4, generator=GENERATOR)
    target = torch.randint(0, 3, (5, 4, 4), generator=GENERATOR)

    loss, metrics = scores((output, target))

    assert pytest.approx(float(functional.cross_entropy(output, target)), rel=1e-4) == loss
    assert accuracy(output.argmax(1), target) == metrics


class Pairs(Dataset[Any]):
    def __len__(self) -> int:
        return len(LABELS)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return SCORES[index], LABELS[index]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(zip(SCORES, LABELS, strict=True))


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, 10, 4):
        yield SCORES[start : start + 4].double().numpy(), LABELS[start : start + 4].int().numpy()


def endless() -> Iterator[Any]:
    while True:
        yield SCORES, LABELS


@pytest.mark.parametrize(
    "data",
    [
        Pairs(),
        Stream(),
        TensorDataset(SCORES, LABELS),
        DataLoader(Pairs(), batch_size=3, shuffle=True),
        (SCORES.double().numpy(), LABELS.numpy()),
        [SCORES, LABELS],
        [*batches()],
        batches(),
        endless(),
    ],
    ids=["dataset", "iterable", "tensors", "loader", "arrays", "list", "batches", "generator", "endless"],
)
def test_data_in_every_form(data: Any):
    """The loss is the mean over the samples whatever form the data have, and the same after the next merge."""
    made = Settings(family="swarm", sync_interval=1, min_peers=1, val_data=data, val_batch_size=4)
    validation = Validation(made, logging.getLogger("test"))

    found = [validation.scores(Same()) for _ in range(2)]

    expected = pytest.approx(float(functional.cross_entropy(SCORES, LABELS)), rel=1e-4)
    assert [expected, expected] == [loss for loss, _ in found]


def test_models_that_return_more():
    """Of a tuple the first tensor counts, of Transformers' outputs the logits."""
    from types import SimpleNamespace

    expected = scores((SCORES, LABELS))

    assert expected == scores((SCORES, LABELS), Same(lambda data: (data, "more")))
    assert expected == scores((SCORES, LABELS), Same(lambda data: SimpleNamespace(logits=data)))


@pytest.mark.parametrize("reduction", [{}, {"reduction": "sum"}, {"reduction": "none"}])
def test_a_loss_by_its_name(reduction: dict[str, str]):
    """The loss of torch.nn is the mean over the samples, whichever way it reduces a batch."""
    loss, metrics = scores((SCORES.log_softmax(1), LABELS), loss="NLLLoss", loss_args=reduction)

    assert (pytest.approx(float(functional.cross_entropy(SCORES, LABELS)), rel=1e-4), {}) == (loss, metrics)


def test_a_loss_that_is_named_has_to_work():
    """What the script asks for by name and cannot be computed ends the script; what was guessed is given up."""
    with pytest.raises(SwarmError, match="no loss or metric on the validation data"):
        scores((SCORES, LABELS), loss="MSELoss")

    assert (None, {}) == scores([{"image": SCORES, "label": LABELS}])


METRICS = [
    ("Accuracy", {"task": "multiclass", "num_classes": 3}),
    ("F1Score", {"task": "multiclass", "num_classes": 3}),
    ("F1Score", {"task": "MULTICLASS", "num_classes": 4, "average": "macro"}),
    ("Accuracy", {"task": "multiclass", "num_classes": 4, "average": "macro"}),
    ("Precision", {"task": "multiclass", "num_classes": 3, "average": "weighted"}),
    ("Recall", {"task": "multiclass", "num_classes": 3, "average": "macro"}),
    ("Accuracy", {"task": "binary"}),
    ("F1Score", {"task": "binary", "threshold": 0.4}),
    ("Precision", {"task": "binary"}),
    ("Recall", {"task": "binary"}),
    ("Accuracy", {"task": "multilabel", "num_labels": 3}),
    ("F1Score", {"task": "multilabel", "num_labels": 3, "average": "macro"}),
    ("Recall", {"task": "multilabel", "num_labels": 3}),
]


def samples(task: str) -> tuple[torch.Tensor, torch.Tensor]:
    if task == "binary":
        return SINGLE[:, 0], BITS
    return SCORES, LABELS if task == "multiclass" else torch.eye(3, dtype=torch.long)[LABELS] | BITS[:, None]


@pytest.mark.skipif(find_spec("torchmetrics") is None, reason="torchmetrics is not installed")
def test_metrics_are_those_of_torchmetrics():
    """The four metrics that are here give what torchmetrics gives."""
    import torchmetrics

    for name, args in METRICS:
        output, target = samples(args["task"].lower())
        if args.get("num_classes") == 4:
            output = torch.cat([output, torch.full((10, 1), -9.0)], 1)
        ours, theirs = _Counts(name, args), getattr(torchmetrics, name)(**args)
        for part in (slice(0, 6), slice(6, 10)):
            ours.update(output[part], target[part])
            theirs.update(output[part], target[part])

        assert {name: pytest.approx(float(theirs.compute()), abs=1e-6)} == ours.compute(), (name, args)


def test_metrics_by_hand():
    """Micro averages of classes are the accuracy; F1 of yes and no counts hits and misses; macro skips absent ones."""
    output, target = torch.eye(4)[[0, 0, 1, 2]], torch.tensor([0, 1, 1, 2])

    for name in ("Accuracy", "F1Score", "Precision", "Recall"):
        found = scores((output, target), metric=name, metric_args={"task": "multiclass", "num_classes": 4})
        assert {name: pytest.approx(0.75)} == found[1]
    macro = {"task": "multiclass", "num_classes": 4, "average": "macro"}
    assert {"Recall": pytest.approx(2.5 / 3)} == scores((output, target), metric="Recall", metric_args=macro)[
        1
    ]
    yes, true = torch.tensor([0.9, 0.8, 0.2, 0.1]), torch.tensor([1, 0, 1, 0])
    assert {"F1Score": pytest.approx(0.5)} == scores(
        (yes, true), metric="F1Score", metric_args={"task": "binary"}
    )[1]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("AUROC", {"task": "binary"}, "pip install torchmetrics"),
        ("Accuracy", {"task": "multiclass", "num_classes": 3, "top_k": 2}, "pip install torchmetrics"),
        ("Accuracy", {}, "pip install torchmetrics"),
        ("Accuracy", {"task": "multiclass"}, "needs 'num_classes' in metricFunctionArgs"),
    ],
)
def test_other_metrics_need_torchmetrics(
    name: str, args: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
):
    """What is not here is a SwarmError that says what to install, before the training begins."""
    # as if it were not installed
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(SwarmError, match=message):
        scores((SCORES, LABELS), metric=name, metric_args=args)
