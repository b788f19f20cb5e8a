"""A user's `ServerFunctions`: which nodes take part, with which settings, and how their updates are combined.

The class is FEDn's: it derives from `ServerFunctionsBase` and overrides any of `client_selection`, `client_settings`,
`aggregate`, or `incremental_aggregate` with `get_incremental_aggregate_model`. Models are lists to it, as in FEDn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any, Final

import numpy as np

from manta_nb.compat.fedn.models.likeness import Model, as_model, check_like
from manta_nb.compat.fedn.server.loading import BASE, guarded, load_class
from manta_nb.compat.fedn.server.source import CLASS, source_of
from manta_nb.compat.fedn.server.state import pack, unpack
from manta_nb.errors import PackageError
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.names import listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims.fedn.utils.helpers.helpers import plain
from manta_nb.shims.fedn.utils.helpers.npz import named

__all__ = ["LoadedFunctions", "load_functions", "restore", "source_of", "state"]

#: today's name → the names it has had
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "client_selection": ("client_selection",),
    "client_settings": ("client_settings", "client_config"),
    "aggregate": ("aggregate",),
    "incremental_aggregate": ("incremental_aggregate", "running_aggregate"),
    "get_incremental_aggregate_model": ("get_incremental_aggregate_model", "get_running_aggregate_model"),
}


class LoadedFunctions:
    """The server functions of a run, ready to be asked; made by `load_functions`, for one round at a time.

    Example:
        >>> functions = load_functions("class ServerFunctions:\\n  def client_selection(self, ids): return ids[:1]")
        >>> functions.select(["node_0", "node_1"])
        ['node_0']
    """

    def __init__(self, instance: object) -> None:
        self.instance = instance
        #: today's names of what the class overrides
        self.provides = frozenset(name for name in _METHODS if _method(instance, name) is not None)

    def select(self, client_ids: Sequence[str]) -> list[str]:
        """The nodes that take part, in the order in which they were chosen; all, where the class does not choose.

        Raises:
            PackageError: `client_selection` failed, chose nobody, or somebody who is not there.
        """
        if "client_selection" not in self.provides:
            return list(client_ids)
        chosen = self._call("client_selection", list(client_ids))
        if not isinstance(chosen, Iterable) or isinstance(chosen, str | bytes | Mapping):
            raise PackageError(f"client_selection must return a list of client ids, got {_told(chosen)}")
        ids = [str(each) for each in chosen]
        for client_id in ids:
            if client_id not in client_ids:
                raise PackageError(
                    one_line(
                        f"client_selection chose {shorten(repr(client_id), 60)}, which is not there: "
                        f"there are {listed(list(client_ids))}"
                    )
                )
        if not ids:
            raise PackageError(f"client_selection chose none of the {len(client_ids)} nodes")
        return list(dict.fromkeys(ids))

    def settings(self, model: Model) -> dict[str, Any]:
        """What the nodes read by `load_metadata`; {} where the class does not say.

        Raises:
            PackageError: `client_settings` failed, or returned no dict that JSON can hold.
        """
        if "client_settings" not in self.provides:
            return {}
        found = self._call("client_settings", _as_list(model))
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise PackageError(f"client_settings must return a dict, got {_told(found)}")
        try:
            settings: dict[str, Any] = json.loads(json.dumps(plain(found)))
        except (TypeError, ValueError, RecursionError) as error:
            raise PackageError(
                one_line(f"client_settings returned what JSON cannot hold: {error}")
            ) from error
        return settings

    def combine(self, model: Model, updates: Mapping[str, tuple[Model, Mapping[str, Any]]]) -> Model | None:
        """The next model, in the form of `model` and with the dtypes of the updates.

        Args:
            model: the one of the round before.
            updates: node → (model, metadata), in the order in which they are handed on.

        Returns:
            None where the class does not combine: an aggregator of FEDn does.

        Raises:
            PackageError: the class failed, or returned something that is not like the model.
        """
        if not self.provides & {"aggregate", "incremental_aggregate"}:
            return None
        if not updates:
            raise PackageError("there are no updates to combine: no node has sent one in this round")
        before = _as_list(model)
        given = {
            node_id: (_as_list(update), dict(metadata)) for node_id, (update, metadata) in updates.items()
        }
        if "incremental_aggregate" in self.provides:
            for node_id, (update, metadata) in given.items():
                self._call("incremental_aggregate", node_id, update, metadata, before)
            called = "get_incremental_aggregate_model"
            if called not in self.provides:
                raise PackageError(
                    f"{CLASS} has incremental_aggregate, and no {called}: it returns the model"
                )
            result = self._call(called)
        else:
            called = "aggregate"
            result = self._call(called, before, given)
        return _in_form(result, called, model, next(iter(updates.values()))[0])

    def _call(self, name: str, *arguments: Any) -> Any:
        return guarded(name, lambda: _method(self.instance, name)(*arguments))


def load_functions(source: str, kept: Mapping[str, Any] | None = None) -> LoadedFunctions:
    """The class of a text, instantiated.

    Args:
        source: what `source_of` returned.
        kept: what `state` returned at the end of the round before.

    Raises:
        PackageError: the text is no Python, has no class `ServerFunctions`, or fails.
    """
    loaded = LoadedFunctions(guarded(f"{CLASS}()", load_class(source)))
    if kept:
        restore(loaded.instance, kept)
    return loaded


def state(instance: object) -> dict[str, Any]:
    """What `instance` remembers: its attributes as a value that may travel, for `restore`.

    Raises:
        PackageError: names the attribute that cannot be kept.
    """
    return pack(getattr(instance, "__dict__", {}))


def restore(instance: object, kept: Mapping[str, Any]) -> None:
    """Give a new `instance` the attributes that `state` returned."""
    methods = (member for base in type(instance).__mro__ for member in vars(base).values())
    scopes = [method.__globals__ for method in methods if isinstance(method, FunctionType)]
    classes = {name: each for scope in scopes for name, each in scope.items() if isinstance(each, type)}
    for name, value in unpack(kept, classes).items():
        setattr(instance, name, value)


def _method(instance: object, name: str) -> Any:
    """The method that the class has under today's or an older name; None where FEDn's own would be called."""
    for each in _METHODS[name]:
        owner = next((base for base in type(instance).__mro__ if each in vars(base)), None)
        if owner is not None and owner.__name__ != BASE:
            return getattr(instance, each)
    return None


def _as_list(model: Model) -> list[Array]:
    """The arrays in order, as FEDn has them; copies, as a class may write into what it is given."""
    return [np.array(array) for array in (model.values() if isinstance(model, dict) else model)]


def _in_form(result: Any, called: str, model: Model, update: Model) -> Model:
    """What the class returned with the keys of `model` and the dtypes of `update`."""
    if result is None:
        raise PackageError(f"{called} returned None: return the model, a list of arrays")
    made = as_model(result, f"what {called} returned")
    if isinstance(model, dict) and not isinstance(made, dict) and len(made) == len(model):
        made = dict(zip(model, made, strict=True))
    check_like(made, model, f"what {called} returned")
    likes: Mapping[Any, Array] = update if isinstance(update, dict) else dict(enumerate(update))
    if isinstance(model, dict):
        return {key: _as_dtype(array, likes[key].dtype) for key, array in named(made).items()}
    return [_as_dtype(array, likes[key].dtype) for key, array in enumerate(named(made).values())]


def _as_dtype(array: Array, dtype: np.dtype[Any]) -> Array:
    rounds = dtype.kind in "iub" and array.dtype.kind == "f"
    return np.asarray(np.rint(array) if rounds else array).astype(dtype, copy=False)


def _told(value: object) -> str:
    return shorten(f"{type(value).__name__} {value!r}", 80)
