"""Torch models as bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from manta_nb.errors import CorruptBytes, ValueRefused
from manta_nb.sdk.bytes import bytes_to_dict, dict_to_bytes
from manta_nb.sdk.torchmodel import bytes_to_torchmodel, torchmodel_to_bytes


class MLP(nn.Module):
    """A model with most of what a model may have."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))
        self.tied = nn.Linear(3, 2)
        self.tied.weight = self.layers[3].weight
        self.layers[0].bias.requires_grad_(False)
        self.register_buffer("steps", torch.tensor(7), persistent=False)
        self.register_parameter("none", None)
        self.scale = torch.full((2,), 0.5)
        self.rates = {"lr": 0.1, "layers": (3, 2)}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Twice the last layer: once plainly, once tied."""
        hidden = self.layers[:3](x)
        return (self.layers[3](hidden) + self.tied(hidden)) * self.scale


def test_a_model_round_trips() -> None:
    """A model comes back with the same outputs, weights, buffers, attributes and frozen layers."""
    model = MLP().eval()
    x = torch.randn(5, 4)

    back: Any = bytes_to_torchmodel(torchmodel_to_bytes(model))

    assert type(back) is MLP
    assert torch.equal(back(x), model(x))
    assert list(back.state_dict()) == list(model.state_dict())
    assert [p.requires_grad for p in back.parameters()] == [p.requires_grad for p in model.parameters()]
    assert (back.training, back.rates, int(back.steps), back.none) == (False, model.rates, 7, None)


def test_what_was_shared_stays_shared() -> None:
    """Tied weights and a layer that is used twice are still one after the round trip."""
    layer = nn.Linear(2, 2)

    tied: Any = bytes_to_torchmodel(torchmodel_to_bytes(MLP()))
    twice: Any = bytes_to_torchmodel(torchmodel_to_bytes(nn.Sequential(layer, nn.ReLU(), layer)))

    assert tied.tied.weight is tied.layers[3].weight
    assert twice[0] is twice[2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.LSTM(4, 3, num_layers=2),
        lambda: nn.GRU(4, 3, bidirectional=True),
        lambda: nn.Linear(4, 4).bfloat16(),
        lambda: nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Dropout()),
        lambda: nn.Sequential(nn.LayerNorm(4), nn.Softmax(dim=1)),
    ],
)
def test_layers_of_torch_round_trip(make: Callable[[], nn.Module]) -> None:
    """Layers of torch, recurrent ones and bfloat16 too, give the same outputs; the copy can be trained."""
    torch.manual_seed(0)
    model = make().eval()
    x = torch.randn(5, 4).to(next(model.parameters()).dtype)

    back = bytes_to_torchmodel(torchmodel_to_bytes(model))
    outputs = [m(x)[0] if isinstance(m, nn.RNNBase) else m(x) for m in (model, back)]
    outputs[1].sum().backward()

    assert torch.equal(*outputs)
    assert all(p.grad is not None for p in back.parameters())


def with_hook() -> nn.Module:
    model = nn.Sequential(nn.Linear(1, 1))
    model[0].register_forward_hook(lambda *_: None)
    return model


def with_attribute(value: object) -> nn.Module:
    model = nn.Sequential(nn.ReLU())
    model[0].extra = value
    return model


def made_in_a_function() -> nn.Module:
    class Inner(nn.Module):
        pass

    return Inner()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: with_attribute([torch.relu]), "at model.0.extra[0]: send model.state_dict() instead"),
        (
            lambda: nn.TransformerEncoderLayer(4, 2),
            "cannot send a function at model.activation: send model.state",
        ),
        (lambda: with_attribute([nn.ReLU()]), "cannot send a ReLU at model.0.extra[0]"),
        (with_hook, "cannot send the hooks of model.0: remove them, or send model.state_dict() instead"),
        (made_in_a_function, "made_in_a_function.<locals>.Inner; send model.state_dict() instead"),
        (lambda: nn.LazyLinear(3), "at model.weight"),
        (lambda: {"w": 1}, "cannot send a dict at model: allowed are torch.nn.Module objects"),
    ],
)
def test_refusals_name_the_attribute(make: Callable[[], Any], words: str) -> None:
    """What cannot travel is refused with its path in the model and the advice to send the weights alone."""
    with pytest.raises(ValueRefused) as caught:
        torchmodel_to_bytes(make())

    assert words in str(caught.value)
    assert len(str(caught.value)) <= 200


def hostile(**changes: object) -> bytes:
    """The bytes of `nn.Linear(1, 1)` with some fields of its row changed."""
    tree = bytes_to_dict(torchmodel_to_bytes(nn.Linear(1, 1)))
    tree["modules"][0].update(changes)
    return dict_to_bytes(tree)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        dict_to_bytes({"w": 1}),
        dict_to_bytes([1]),
        dict_to_bytes({"format": "torch model 2"}),
        dict_to_bytes({"format": "torch model 1", "modules": [], "tensors": []}),
        dict_to_bytes({"format": "torch model 1", "modules": [], "tensors": [[{}, "float32", True]]}),
        dict_to_bytes({"format": "torch model 1", "modules": [], "tensors": [[b"", "Tensor", True]]}),
        hostile(**{"class": "os:system"}),
        hostile(**{"class": "antigravity:Module"}),
        hostile(**{"class": "torch.nn.modules.linear:Linear.__init__"}),
        hostile(**{"class": "builtins:type"}),
        hostile(**{"class": 7}),
        hostile(values={"_parameters": {}}),
        hostile(values={"training": 1}),
        hostile(modules={"me": 0}),
        hostile(parameters={"weight": 99}),
        hostile(parameters=[1]),
        hostile(transient=3),
    ],
)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """Other bytes, and models of classes that are no loaded layer, raise `CorruptBytes`."""
    with pytest.raises(CorruptBytes) as caught:
        bytes_to_torchmodel(data)

    assert len(str(caught.value)) <= 200
    assert "antigravity" not in sys.modules


def test_a_class_that_is_not_loaded_is_named() -> None:
    """A node without the class of the model is told which to import."""
    package = ModuleType("elsewhere_model")
    layer = type("Net", (nn.Module,), {"__module__": "elsewhere_model"})
    vars(package)["Net"] = layer
    sys.modules["elsewhere_model"] = package
    data = torchmodel_to_bytes(layer())
    del sys.modules["elsewhere_model"]

    with pytest.raises(CorruptBytes, match="'elsewhere_model:Net', which is not loaded: import it first"):
        bytes_to_torchmodel(data)


def test_no_constructor_is_called() -> None:
    """Reading a model runs no `__init__` of its classes."""
    data = torchmodel_to_bytes(Counted())
    before = Counted.made.copy()

    bytes_to_torchmodel(data)

    assert Counted.made == before


class Counted(nn.Module):
    """A layer that notes each call of its constructor."""

    made: list[int] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.made.append(1)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_bytes_raise_nothing_but_corrupt_bytes(data: st.DataObject) -> None:
    """Overwritten bytes give a model or `CorruptBytes`, nothing else."""
    sample = torchmodel_to_bytes(nn.Linear(2, 1))
    at = data.draw(st.integers(16, len(sample) - 1))
    patch = data.draw(
        st.binary(min_size=1, max_size=4) | st.sampled_from([b"0", b"9", b'"', b"[", b"x", b"true"])
    )

    try:
        model = bytes_to_torchmodel(sample[:at] + patch + sample[at + len(patch) :])
    except CorruptBytes:
        return
    assert isinstance(model, nn.Module)
