"""What a session was started with, as plain values: enough to start the like of it again; and where its runs are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manta_nb.engine.wording import one_line
from manta_nb.errors import StoreError
from manta_nb.render import plain
from manta_nb.sdk.refusal import size_text

if TYPE_CHECKING:
    from manta_nb.store.ports import Store

__all__ = ["difference", "kept_where", "near", "plain_options", "session_options"]

#: what a later session does not need: it has workers of its own, and a store already
_OWN = ("client", "store")
#: what the nodes and their data depend on
_DATA = (
    "data",
    "nodes",
    "data_name",
    "partition",
    "alpha",
    "labels_per_node",
    "sizes",
    "seed",
    "test",
    "resize",
)


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a session that differ from None; paths are made absolute, what is no plain value is named.

    >>> plain_options({"nodes": 4, "data": "digits", "workers": None})
    {'options': {'nodes': 4, 'data': 'digits'}, 'missing': []}
    """
    kept: dict[str, Any] = {}
    missing = []
    for name, value in options.items():
        if value is None or name in _OWN:
            continue
        if isinstance(value, str | os.PathLike):
            kept[name] = _absolute(os.fspath(value)) if name == "data" else os.fspath(value)
        elif _is_plain(value):
            kept[name] = list(value) if isinstance(value, list | tuple) else value
        else:
            missing.append(name)
    return {"options": kept, "missing": missing}


def session_options(stored: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options to start a session with, and the names of those that could not be kept."""
    return dict(stored.get("options", {})), list(stored.get("missing", []))


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The first option that nodes and their data depend on in which two sessions differ: its name and both values."""
    for name in _DATA:
        if then.get(name) != now.get(name):
            return name, then.get(name), now.get(name)
    return None


def near(where: str) -> str:
    """A folder as a person says it: from the working directory, where it lies in that."""
    path, here = Path(where), Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else where


def kept_where(store: Store, *, off: bool = False) -> str:
    """Where the runs of a session are kept, and how much lies there, in one line."""
    if off:
        return 'runs are not kept: store="off"'
    if store.states is None:
        return "runs are kept in memory: they end with this kernel"
    try:
        return f"runs are kept in {plain(near(store.where))} · {size_text(store.nbytes())}"
    except StoreError as error:
        return one_line(str(error))


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str | int | float) for each in value)
    return isinstance(value, int | float)


def _absolute(data: str) -> str:
    """A dataset's name stays, a path is made absolute; `NAME=` before either is kept."""
    name, equals, rest = data.rpartition("=")
    return f"{name}{equals}{Path(rest).resolve()}" if Path(rest).exists() else data
