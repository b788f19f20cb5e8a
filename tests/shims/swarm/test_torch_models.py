"""PyTorch models of every kind go out, are merged, and come back in place."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from manta_nb.shims.swarm import SwarmError
from manta_nb.shims.swarm._settings import Settings
from manta_nb.shims.swarm._torch import TorchModel


def adapter(model: nn.Module, **settings: Any) -> TorchModel:
    made = Settings(family="swarm", sync_interval=1, min_peers=1, **settings)
    return TorchModel(SimpleNamespace(model=model), made, logging.getLogger("test"))


def grown(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a merge might make of these arrays: other numbers of the same dtypes and shapes."""
    return {
        name: ~array if array.dtype == bool else (array + 1).astype(array.dtype)
        for name, array in arrays.items()
    }


class Odd(nn.Module):
    """A model with all that a state_dict can have."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(3, 3)
        self.tied = self.body
        self.turned = nn.Parameter(torch.arange(6.0).reshape(2, 3).t())
        self.halves = nn.Parameter(torch.ones(2, dtype=torch.float16))
        self.brain = nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
        self.doubles = nn.Parameter(torch.ones(2, dtype=torch.float64))
        self.turn = nn.Parameter(torch.ones(2, dtype=torch.complex64))
        self.scalar = nn.Parameter(torch.tensor(2.0))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("bytes", torch.tensor([1, 2], dtype=torch.uint8))
        self.register_buffer("none", torch.zeros(0, 3))
        self.register_buffer("spread", torch.ones(1).expand(4))
        self.register_buffer("hidden", torch.ones(1), persistent=False)

    def get_extra_state(self) -> dict[str, str]:
        return {"of": "this node"}

    def set_extra_state(self, state: Any) -> None:
        raise AssertionError("what is no tensor is not loaded")


def test_every_kind_of_tensor_comes_back():
    """Dtypes, shapes, layouts, ties and identities of parameters and buffers survive a merge."""
    model = Odd()
    before = {name: (tensor, tensor.dtype, tensor.stride()) for name, tensor in model.named_parameters()}
    merging = adapter(model)

    sent = merging.read()
    wanted = {
        name: array if name == "spread" else array + 1 for name, array in sent.items() if name != "mask"
    }
    merging.load(grown({name: array.copy() for name, array in sent.items()}))
    found = merging.read()

    assert ["<f2", "<f4", "<f4", "<i8", "|b1", "|u1"] == [
        sent[name].dtype.str for name in ("halves", "brain", "turn", "count", "mask", "bytes")
    ]
    assert [(), (), (2, 2), (0, 3)] == [sent[name].shape for name in ("scalar", "count", "turn", "none")]
    assert "hidden" not in sent and "_extra_state" not in sent
    assert [False, True] == found["mask"].tolist()
    for name, array in wanted.items():
        assert np.array_equal(array, found[name]), name
    for name, parameter in model.named_parameters():
        assert before[name][0] is parameter and before[name][1:] == (parameter.dtype, parameter.stride())
    assert model.tied is model.body


def test_means_of_integers_are_rounded():
    """A merge may give the mean of counts: 7.6 batches are 8."""
    model = nn.BatchNorm1d(2)
    merging = adapter(model)
    arrays = {name: array.copy() for name, array in merging.read().items()}

    merging.load({**arrays, "num_batches_tracked": np.array(7.6)})

    assert 8 == int(model.num_batches_tracked)
    assert model.num_batches_tracked.dtype == torch.int64 and model.num_batches_tracked.ndim == 0


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda model: torch.compile(model, backend="eager")])
def test_wrapped_models_are_merged(wrap: Callable[[nn.Module], nn.Module]):
    """A model in a wrapper goes by the wrapper's names, and the model inside has what was merged."""
    model = nn.Sequential(nn.Linear(2, 2))
    merging = adapter(wrap(model))

    merging.load(grown({name: np.zeros_like(array) for name, array in merging.read().items()}))

    assert {1.0} == {
        float(number) for parameter in model.parameters() for number in parameter.detach().flatten()
    }


def test_the_optimizer_goes_on():
    """Its parameters stay the same objects, and its state is not touched."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    merging = adapter(model)

    merging.load({name: np.zeros_like(array) for name, array in merging.read().items()})

    after = optimizer.state_dict()["state"]
    assert all(torch.equal(before["state"][0][name], after[0][name]) for name in before["state"][0])
    optimizer.step()
    assert bool((model.weight != 0).all())


def test_lazy_layers_are_waited_for():
    """A model whose layers learn their size from the first batch is not ready before it."""
    model = nn.Sequential(nn.LazyLinear(2))
    merging = adapter(model)

    assert not merging.ready()
    model(torch.ones(1, 3))
    assert merging.ready() and (2, 3) == merging.read()["0.weight"].shape


def test_a_tensor_that_cannot_be_merged_is_named():
    """A sparse tensor is a SwarmError that says which one it is."""
    model = nn.Module()
    model.register_buffer("links", torch.eye(3).to_sparse())

    with pytest.raises(SwarmError, match="links is a tensor that cannot be merged"):
        adapter(model).read()


def test_trying_a_model_leaves_no_trace():
    """Each module keeps its own mode, torch's random numbers go on as they were, and no gradient is made."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2))
    model.train()
    model[2].eval()
    data = torch.utils.data.TensorDataset(torch.randn(8, 2), torch.zeros(8, dtype=torch.long))
    merging = adapter(model, val_data=torch.utils.data.DataLoader(data, batch_size=3, shuffle=True))
    state, before = torch.get_rng_state(), copy.deepcopy(model.state_dict())

    first, second = merging.evaluate(), merging.evaluate()

    assert first[0] == pytest.approx(second[0]) and first[1] == second[1]
    assert [True, True, True, False] == [module.training for module in model.modules()]
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in before.items())
    assert model[0].weight.grad is None


def test_modes_come_back_after_a_failure():
    """A model that cannot be tried is given up with a warning, and stays in its mode."""

    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tried = 0

        def forward(self, data: torch.Tensor) -> torch.Tensor:
            self.tried += 1
            raise RuntimeError("no such thing")

    model = Broken()
    merging = adapter(model, val_data=(np.zeros((2, 1)), np.zeros(2)))

    assert [(None, {}), (None, {})] == [merging.evaluate(), merging.evaluate()]
    assert 1 == model.tried and model.training
