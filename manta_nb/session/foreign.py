"""What the doors for programs of other systems share: nodes as asked for, data that all see, variables of programs."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from manta_nb.compat.variables import EVERY_NODE
from manta_nb.data.loading import BUNDLED
from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.session import Session

__all__ = [
    "Environments",
    "NodeWishes",
    "PathLike",
    "check_named",
    "common_folder",
    "in_notebook",
    "open_nodes",
    "read_environments",
    "start_on",
]

PathLike = str | os.PathLike[str]
Environments = Mapping[str, Mapping[str, str]]

Made = TypeVar("Made")

#: what no environment variable can hold
_UNFIT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class NodeWishes:
    """Which nodes a program is to run on, with which data and variables."""

    nodes: int | Sequence[str] | None = None
    data: object = None
    node_env: PathLike | Environments | None = None
    #: further options of `Session`
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def common(self) -> str | None:
        """The folder that all nodes have as their data, where `data` is one without subfolders; else None."""
        return common_folder(self.data, self.nodes)

    def with_named_nodes(self) -> Self:
        """The same for new nodes: where nothing else says which, those that `node_env` names.

        Raises:
            UsageError: `node_env` cannot be read.
        """
        named = [node for node in read_environments(self.node_env) if node != EVERY_NODE]
        free = self.nodes is None and (self.data is None or self.common is not None)
        return replace(self, nodes=named) if named and free else self

    def session_options(self) -> dict[str, Any]:
        """What a `Session` for this run is asked for."""
        data = None if self.common else self.data
        given = {"nodes": self.nodes, "data": data, **self.options}
        return {key: value for key, value in given.items() if value is not None}


def start_on(
    session: Session | None, wishes: NodeWishes, say: Callable[[str], None], start: Callable[[Session], Made]
) -> Made:
    """`start(session)` on the nodes that are asked for; new ones are closed again where it fails.

    Args:
        session: nodes to use; None: in a notebook with the magics theirs, else new ones.
        wishes: which nodes are asked for.
        say: told what goes on.
        start: what is done with them.

    Raises:
        UsageError: both a session and nodes are asked for.
    """
    if session is not None:
        if wishes.nodes is not None or wishes.options or (wishes.data is not None and wishes.common is None):
            raise UsageError(
                "session= brings its nodes and data: leave out nodes=, data= and the like, or session="
            )
        return start(session)
    opened = open_nodes(wishes, say)
    try:
        return start(opened)
    except BaseException:
        if not in_notebook():
            opened.close()
        raise


def check_named(environments: Environments, node_ids: Sequence[str]) -> None:
    """Raise a `UsageError` where variables are given for a node that is not there."""
    for name in environments:
        if name != EVERY_NODE and name not in node_ids:
            near = did_you_mean(name, node_ids)
            raise UsageError(
                one_line(f"node_env: no node {shorten(name, 40)!r}{near}: there are {listed(node_ids)}")
            )


def in_notebook() -> bool:
    """Whether there is a notebook with the magics, whose nodes are used."""
    return "manta_nb.ui.extension" in sys.modules


def open_nodes(wishes: NodeWishes, say: Callable[[str], None]) -> Session:
    """Nodes as asked for: in a notebook with the magics theirs, which show the run, else a new session."""
    if in_notebook():
        # by name: ui stands above, and there are notebooks without it
        found = import_module("manta_nb.ui.history").nodes_for(wishes.session_options())
        if found is not None:
            return cast("Session", found)
    return Session(**wishes.with_named_nodes().session_options(), say=say)


def common_folder(data: object, nodes: object) -> str | None:
    """The folder that all nodes have as their data, where `data` is one without a subfolder a node; else None."""
    # `digits` are the digits, also where a folder is called so
    if not isinstance(data, str | os.PathLike) or data in BUNDLED:
        return None
    folder = Path(data).expanduser()
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return None
    inside = [entry for entry in entries if entry.is_dir()]
    # a single subfolder is not one for each of several nodes: `data/clients/1/…`, `data/MedNIST/…`
    common = not inside or (len(inside) == 1 and isinstance(nodes, int) and nodes > 1)
    return str(folder.resolve()) if common else None


def read_environments(given: PathLike | Environments | None) -> dict[str, dict[str, str]]:
    """Variables by node: a dict, or a JSON file that holds one; `"*"` stands for every node.

    Example:
        >>> read_environments({"node_0": {"ENTRYPOINT_OPTS": "--lr=0.1"}})
        {'node_0': {'ENTRYPOINT_OPTS': '--lr=0.1'}}
    """
    if given is None:
        return {}
    table: object = given
    if isinstance(given, str | os.PathLike):
        try:
            table = json.loads(Path(given).expanduser().read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(one_line(f"node_env: cannot read {given}: {error.strerror}")) from error
        except (ValueError, RecursionError) as error:
            raise UsageError(one_line(f"node_env: {given} is not JSON: {error}")) from error
    if not isinstance(table, Mapping) or not all(isinstance(each, Mapping) for each in table.values()):
        raise UsageError('node_env is {"node_0": {"NAME": "value"}, …}: a node, and its variables')
    return {str(node): _variables(str(node), each) for node, each in table.items()}


def _variables(node: str, given: Mapping[Any, Any]) -> dict[str, str]:
    for name, value in given.items():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not plain or _UNFIT.search(str(value)) or not re.fullmatch(r"[^=\0]+", str(name)):
            raise UsageError(
                one_line(
                    f"node_env: {shorten(str(name), 40)} of {shorten(node, 40)} must be a text or a number, "
                    f"got {shorten(repr(value), 40)}"
                )
            )
    return {str(name): str(value) for name, value in given.items()}
