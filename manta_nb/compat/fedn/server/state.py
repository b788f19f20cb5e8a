"""What server functions remember from round to round, as a value that may travel and be kept.

Beyond what `manta_nb.sdk.codec` takes, the containers and generators that such classes are fond of: sets, deques,
defaultdicts, Counters, `random.Random`, numpy's Generator, and objects of classes that the same text defines.
"""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np

from manta_nb.errors import PackageError, ValueRefused
from manta_nb.sdk.codec import encode
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims.fedn.utils.helpers.helperbase import HelperBase

__all__ = ["MODULE", "pack", "unpack"]

#: the key of a dict that stands for something that JSON-like values are not
_KIND: Final = "fedn:kind"
_FACTORIES: Final[Mapping[str, type]] = {
    each.__name__: each for each in (bool, dict, float, int, list, set, str)
}
#: the module that classes of a text say they are of
MODULE: Final = "server_functions"
#: comes anew from `__init__`
_FIXTURES: Final = (
    BuiltinFunctionType,
    FunctionType,
    MethodType,
    ModuleType,
    logging.Logger,
    HelperBase,
    type,
)


def pack(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an object as a value that may travel, but not its functions, modules, loggers, helpers.

    Raises:
        PackageError: names the attribute that cannot be kept.
    """
    packed = {}
    for name, value in attributes.items():
        if isinstance(value, _FIXTURES):
            continue
        try:
            packed[name] = _pack(value)
            encode(packed[name], name)
        except (ValueRefused, RecursionError) as error:
            raise PackageError(
                one_line(
                    f"ServerFunctions: self.{shorten(name, 40)} cannot be kept for the next round: {error}"
                )
            ) from error
    return packed


def unpack(state: Mapping[str, Any], classes: Mapping[str, type]) -> dict[str, Any]:
    """The inverse of `pack`, with the classes that the text defines; `PackageError` where one is gone."""
    return {name: _unpack(value, classes) for name, value in state.items()}


def _pack(value: Any) -> Any:
    match value:
        case set() | frozenset():
            # a set has no order; the value has, so that two runs keep the same bytes
            items = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
            return _as_kind(type(value).__name__, [_pack(item) for item in items])
        case deque():
            return _as_kind("deque", [_pack(item) for item in value], value.maxlen)
        case Counter():
            return _as_kind("Counter", dict(value))
        case defaultdict():
            name = getattr(value.default_factory, "__name__", "")
            if value.default_factory is not None and _FACTORIES.get(name) is not value.default_factory:
                raise ValueRefused(
                    "a defaultdict of a function of its own; use defaultdict(list), (int), (dict) …"
                )
            return _as_kind("defaultdict", {key: _pack(item) for key, item in value.items()}, name)
        case Mapping():
            return {key: _pack(item) for key, item in value.items()}
        case list():
            return [_pack(item) for item in value]
        case tuple():
            return tuple(_pack(item) for item in value)
        case random.Random():
            return _as_kind("Random", value.getstate())
        case np.random.Generator():
            return _as_kind("Generator", dict(value.bit_generator.state))
    if type(value).__module__ == MODULE and hasattr(value, "__dict__"):
        return _as_kind(
            "object", {name: _pack(item) for name, item in vars(value).items()}, type(value).__name__
        )
    return value


def _unpack(value: Any, classes: Mapping[str, type]) -> Any:
    if isinstance(value, dict):
        if _KIND in value:
            return _of_kind(value[_KIND], value["value"], value["extra"], classes)
        return {key: _unpack(item, classes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_unpack(item, classes) for item in value)
    if isinstance(value, np.ndarray) and not value.flags.writeable:
        # what was stored is read only, and the object may change its own arrays
        return value.copy()
    return value


def _as_kind(kind: str, value: Any, extra: Any = None) -> dict[str, Any]:
    return {_KIND: kind, "value": value, "extra": extra}


def _of_kind(kind: str, value: Any, extra: Any, classes: Mapping[str, type]) -> Any:
    match kind:
        case "set":
            return set(_unpack(value, classes))
        case "frozenset":
            return frozenset(_unpack(value, classes))
        case "deque":
            return deque(_unpack(value, classes), extra)
        case "Counter":
            return Counter(value)
        case "defaultdict":
            return defaultdict(_FACTORIES.get(extra), _unpack(value, classes))
        case "Random":
            generator = random.Random()  # noqa: S311 - the user's own
            version, words, spare = value
            generator.setstate((version, tuple(int(word) for word in words), spare))
            return generator
        case "Generator":
            bits = getattr(np.random, str(value["bit_generator"]), None)
            if not (isinstance(bits, type) and issubclass(bits, np.random.BitGenerator)):
                raise PackageError(
                    "ServerFunctions: a generator of random numbers of an unknown kind was kept"
                )
            made = bits()
            made.state = value
            return np.random.Generator(made)
        case "object" if extra in classes:
            thing: Any = object.__new__(classes[extra])
            vars(thing).update(_unpack(value, classes))
            return thing
    raise PackageError(f"ServerFunctions: a value of the unknown kind {shorten(repr(kind), 40)} was kept")
