"""Whole torch models as bytes, without pickle: no class is imported and no code is run to read them.

A model is two tables. `tensors` has each parameter and buffer once; `modules` has each module once, the ones
inside before the one around them, the model last. So tied weights and shared layers stay shared.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from manta_nb.errors import CorruptBytes, ValueRefused
from manta_nb.sdk.arrays import is_tensor
from manta_nb.sdk.codec import decode, encode
from manta_nb.sdk.refusal import refuse_type

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["bytes_to_torchmodel", "torchmodel_to_bytes"]

_FORMAT = "torch model 1"
_ADVICE = "send model.state_dict() instead"
_OWN_TABLES = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")
#: caches of an RNN, which hold its parameters once more; `_init_flat_weights` makes them anew
_CACHES = ("_flat_weights", "_flat_weight_refs")
_ERRORS = (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError, OverflowError)


def torchmodel_to_bytes(model: nn.Module) -> bytes:
    """A model with its layers, weights, buffers and plain attributes as bytes.

    The model's class must be at the top level of a module; attributes must be values that may travel, else
    `ValueRefused` names the attribute (send `model.state_dict()` then).
    """
    if not isinstance(model, _torch().nn.Module):
        refuse_type(model, "model", "torch.nn.Module objects")
    tables = _Tables()
    tables.module(model, "model")
    tree = {"format": _FORMAT, "modules": tables.modules, "tensors": tables.tensors}
    return b"".join(encode(tree, "model").buffers)


def bytes_to_torchmodel(data: bytes | memoryview) -> nn.Module:
    """The model that `torchmodel_to_bytes` wrote, on the CPU; `CorruptBytes` for other bytes.

    Its classes must be those of torch or loaded here already (`from .model import MLP` before the call).
    """
    tree = decode(data)
    try:
        if tree["format"] != _FORMAT:
            raise CorruptBytes(f"the model has the format {str(tree['format'])[:40]!r}, not {_FORMAT!r}")
        tensors = [_tensor(*entry) for entry in tree["tensors"]]
        modules: list[nn.Module] = []
        for spec in tree["modules"]:
            modules.append(_module(spec, tensors, modules))
        return modules[-1]
    except CorruptBytes:
        raise
    except _ERRORS as error:
        raise CorruptBytes("these bytes are not a torch model of manta_nb") from error


class _Tables:
    """The two tables of a model while it is written."""

    def __init__(self) -> None:
        self.modules: list[dict[str, Any]] = []
        self.tensors: list[tuple[Any, str, bool | None]] = []
        self._module_index: dict[int, int] = {}
        self._tensor_index: dict[int, int] = {}

    def module(self, module: nn.Module | None, where: str) -> int | None:
        """The index of `module`, which is added where it is new; `where` is its path, for errors."""
        if module is None:
            return None
        if id(module) not in self._module_index:
            spec = self._spec(module, where)
            self._module_index[id(module)] = len(self.modules)
            self.modules.append(spec)
        return self._module_index[id(module)]

    def tensor(self, tensor: Tensor | None, where: str) -> int | None:
        """The index of `tensor`, which is added where it is new."""
        if tensor is None:
            return None
        if id(tensor) not in self._tensor_index:
            _check(tensor, where)
            self._tensor_index[id(tensor)] = len(self.tensors)
            grad = tensor.requires_grad if isinstance(tensor, _torch().nn.Parameter) else None
            self.tensors.append((tensor, str(tensor.dtype).removeprefix("torch."), grad))
        return self._tensor_index[id(tensor)]

    def _spec(self, module: nn.Module, where: str) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "class": _class_path(type(module), where),
            "training": module.training,
            "parameters": {n: self.tensor(p, f"{where}.{n}") for n, p in module._parameters.items()},
            "buffers": {n: self.tensor(b, f"{where}.{n}") for n, b in module._buffers.items()},
            "transient": sorted(module._non_persistent_buffers_set),
            "modules": {n: self.module(m, f"{where}.{n}") for n, m in module._modules.items()},
            "tensors": {},
            "values": {},
        }
        for name, value in _attributes(module, where).items():
            if is_tensor(value):
                spec["tensors"][name] = self.tensor(value, f"{where}.{name}")
            else:
                _check(value, f"{where}.{name}")
                spec["values"][name] = value
        return spec


def _attributes(module: nn.Module, where: str) -> dict[str, Any]:
    """What the class of `module` itself put on it; hooks, which are code, are refused."""
    nn = _torch().nn
    own = vars(nn.Module())
    skipped = _CACHES if isinstance(module, nn.RNNBase) else ()
    for name, value in vars(module).items():
        if name in own and name not in _OWN_TABLES and isinstance(value, dict) and value:
            raise ValueRefused(f"cannot send the hooks of {where[-80:]}: remove them, or {_ADVICE}")
    return {name: value for name, value in vars(module).items() if name not in own and name not in skipped}


def _check(value: Any, where: str) -> None:
    """Raise `ValueRefused` with the advice for models if `value` cannot travel."""
    try:
        encode(value, where)
    except ValueRefused as error:
        raise ValueRefused(f"{str(error).rsplit(':', 1)[0]}: {_ADVICE}") from error


def _class_path(cls: type, where: str) -> str:
    """Where to find `cls` again, as `module:Name`."""
    path = f"{cls.__module__}:{cls.__qualname__}"
    if _loaded(path) is not cls:
        raise ValueRefused(f"cannot send {where[-60:]}: no import finds its class {path[-60:]}; {_ADVICE}")
    return path


def _loaded(path: str) -> object:
    """What `module:Name.Name` stands for, or None; nothing is imported, no attribute is computed."""
    module_name, _, names = path.partition(":")
    found: object = sys.modules.get(module_name)
    for name in names.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    return found


def _tensor(array: Any, dtype_name: str, grad: bool | None) -> Tensor:
    """One tensor from its array; a parameter unless `grad` is None."""
    torch = _torch()
    dtype = vars(torch).get(dtype_name)
    if not isinstance(dtype, torch.dtype):
        raise CorruptBytes(f"the model has a tensor of dtype {dtype_name[:40]!r}, which torch does not know")
    tensor: Tensor = torch.from_numpy(array.copy()).to(dtype)
    return tensor if grad is None else torch.nn.Parameter(tensor, requires_grad=bool(grad))


def _module(spec: dict[str, Any], tensors: list[Tensor], modules: list[nn.Module]) -> Any:
    """One module from its row; `modules` are those made so far."""
    base = _torch().nn.Module
    cls: Any = _loaded(spec["class"])
    known = isinstance(cls, type) and issubclass(cls, base)
    if not known:
        raise CorruptBytes(
            f"the model has a layer {spec['class'][-80:]!r}, which is not loaded: import it first"
        )
    module: Any = cls.__new__(cls)
    base.__init__(module)
    attributes = spec["values"] | {name: tensors[i] for name, i in spec["tensors"].items()}
    if not attributes.keys().isdisjoint(vars(module)):
        raise CorruptBytes("the model sets an attribute that belongs to torch")
    vars(module).update(attributes)
    module.training = spec["training"] is True
    module._parameters.update({n: None if i is None else tensors[i] for n, i in spec["parameters"].items()})
    module._buffers.update({n: None if i is None else tensors[i] for n, i in spec["buffers"].items()})
    module._modules.update({n: None if i is None else modules[i] for n, i in spec["modules"].items()})
    module._non_persistent_buffers_set.update(spec["transient"])
    if isinstance(module, _torch().nn.RNNBase):
        module._init_flat_weights()
    return module


def _torch() -> ModuleType:
    # torch takes a second to import, and most programs that import the byte helpers send no model.
    import torch  # noqa: PLC0415

    return torch
