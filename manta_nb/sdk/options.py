"""`Options`: where a module runs and what happens when it fails; each is checked on its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, Literal, NoReturn, cast

from manta_nb.errors import DefinitionError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Options", "check_iterations"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a `Module` is given beside its code; see there. Made by `Options.checked`."""

    image: str | None = None
    method: Literal["any", "all"] = "any"
    fixed: bool = False
    excepted_ids: tuple[str, ...] = ()
    specified_ids: tuple[str, ...] | None = None
    maximum: float | None = None
    alias: str | None = None
    network_name: str | None = None
    gpu: bool = False
    name: str | None = None
    datasets: tuple[str, ...] = ()
    min_nodes: int | None = None
    retries: int = 0
    timeout: float | None = None
    isolate: bool = False
    on_nan: Literal["warn", "refuse"] = "warn"
    keep_results: int | Literal["all"] | None = None
    revision: int | None = None

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> Options:
        """The options with these values, brought to their plain form, or a `DefinitionError`."""
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                hint = did_you_mean(name, names)
                raise DefinitionError(
                    one_line(f"a Module has no option {name!r}{hint}: help(Module) lists them")
                )
        options = cls(**{name: _CHECKS[name](value, name) for name, value in given.items()})
        if options.specified_ids is not None and not set(options.specified_ids) - set(options.excepted_ids):
            raise DefinitionError(
                "specified_ids and excepted_ids leave no node: name one that is not excepted"
            )
        return options

    def placement(self) -> str:
        """Which nodes, in words: "every node", "up to 4 nodes", "one node, not node_1"."""
        notes = [f"of {listed(self.specified_ids)}"] if self.specified_ids else []
        notes += [f"not {listed(self.excepted_ids)}"] if self.excepted_ids else []
        notes += ["the same in every iteration"] if self.fixed else []
        needs = f" with {listed(self.datasets)}" if self.datasets else ""
        return ", ".join([self._count() + needs, *notes])

    def _count(self) -> str:
        limit = 1 if self.maximum is None and self.method == "any" else self.maximum
        if limit is None or limit == -1:
            return "every node"
        if isinstance(limit, float):
            return f"{limit:.0%} of the nodes"
        return "one node" if limit == 1 else f"up to {limit} nodes"


def check_iterations(value: object) -> int | None:
    """A number of iterations ≥ 1, or None for no limit."""
    return None if value is None else _at_least(1)(value, "max_iteration")


def _maximum(value: object, name: str) -> float | None:
    if value is None:
        return None
    if _is_whole(value):
        number = int(cast(Integral, value))
        if number >= 1 or number == -1:
            return number
    elif isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) <= 1:
        return float(value)
    _refuse(name, "a number of nodes ≥ 1, a fraction such as 0.5, or -1 for no limit", value)


def _at_least(least: int) -> Callable[[object, str], int]:
    def check(value: object, name: str) -> int:
        if not _is_whole(value) or int(cast(Integral, value)) < least:
            _refuse(name, f"a whole number ≥ {least}", value)
        return int(cast(Integral, value))

    return check


def _seconds(value: object, name: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < math.inf:
        _refuse(name, "a number of seconds above 0, or None", value)
    return float(value)


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        _refuse(name, "True or False", value)
    return value


def _one_of(*choices: str) -> Callable[[object, str], str]:
    def check(value: object, name: str) -> str:
        if not isinstance(value, str) or value not in choices:
            _refuse(name, " or ".join(f'"{choice}"' for choice in choices), value)
        return value

    return check


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 200:
        _refuse(name, "a text of one line, or None", value)
    return value


def _names(value: object, name: str) -> tuple[str, ...]:
    example = f'a list of names, such as {name}=["{value if isinstance(value, str) else "node_1"}"]'
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        _refuse(name, example, value)
    names = list(value)
    if not all(isinstance(item, str) and item.strip() for item in names):
        _refuse(name, example, value)
    return tuple(dict.fromkeys(names))


def _kept(value: object, name: str) -> int | str:
    if value == "all":
        return "all"
    if not _is_whole(value) or int(cast(Integral, value)) < 1:
        _refuse(name, 'a whole number ≥ 1, or "all"', value)
    return int(cast(Integral, value))


def _or_none(check: Callable[[object, str], Any]) -> Callable[[object, str], Any]:
    return lambda value, name: None if value is None else check(value, name)


def _or_empty(value: object, name: str) -> tuple[str, ...]:
    return () if value is None else _names(value, name)


_CHECKS: Mapping[str, Callable[[object, str], Any]] = MappingProxyType(
    {
        "image": _or_none(_text),
        "method": _one_of("any", "all"),
        "fixed": _flag,
        "excepted_ids": _or_empty,
        "specified_ids": _or_none(_names),
        "maximum": _maximum,
        "alias": _or_none(_text),
        "network_name": _or_none(_text),
        "gpu": _flag,
        "name": _or_none(_text),
        "datasets": _or_empty,
        "min_nodes": _or_none(_at_least(0)),
        "retries": _at_least(0),
        "timeout": _or_none(_seconds),
        "isolate": _flag,
        "on_nan": _one_of("warn", "refuse"),
        "keep_results": _or_none(_kept),
        "revision": _or_none(_at_least(0)),
    }
)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _refuse(name: str, allowed: str, value: object) -> NoReturn:
    kind = type(value).__name__
    raise DefinitionError(one_line(f"{name} must be {allowed}, got {shorten(repr(value), 60)} ({kind})"))
