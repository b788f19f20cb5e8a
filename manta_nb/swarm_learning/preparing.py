"""From a script and options to what the nodes are given, checked before anything runs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from manta_nb.compat.swarm_learning.folder import Program, read_program
from manta_nb.compat.swarm_learning.merging.methods import METHODS
from manta_nb.compat.swarm_learning.merging.source import merge_source
from manta_nb.compat.swarm_learning.rounds.settings import DEADLINE, PATIENCE, Settings
from manta_nb.compat.variables import EVERY_NODE
from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.foreign import NodeWishes, PathLike, check_named, read_environments
from manta_nb.shims.swarm._link import is_bypassed

__all__ = ["Prepared", "Wishes", "prepare"]


@dataclass(frozen=True, kw_only=True)
class Wishes(NodeWishes):
    """How a script is to be run; `manta_nb.swarm_learning.run` says what each of these means."""

    min_peers: int | None = None
    env: Mapping[str, Any] | None = None
    args: str | Sequence[str] = ()
    model_dir: PathLike | None = None
    merge: str | Callable[..., Any] | None = None
    evaluate: str | None = None
    patience: float = PATIENCE
    deadline: float = DEADLINE
    seed: int | None = None
    name: str | None = None
    #: each script for itself, as a baseline
    loopback: bool = False


@dataclass(frozen=True)
class Prepared:
    """A script that is ready to run."""

    program: Program
    settings: Settings

    @property
    def notes(self) -> list[str]:
        """One line each: what the script does not find."""
        found = self.program.left_out
        if not found:
            return []
        return [
            one_line(f"not taken along, as links: {listed(found[:5])}; put the files there, or give --data")
        ]

    def for_nodes(self, node_ids: Sequence[str]) -> Prepared:
        """The same, once it is known which nodes there are.

        Raises:
            UsageError: variables for a node that is not there, or fewer nodes than a merge needs.
        """
        check_named(self.settings.environments, node_ids)
        _check_peers(self.settings.min_peers, len(node_ids))
        return replace(self, settings=replace(self.settings, nodes=tuple(node_ids)))


def prepare(script: PathLike | Program, wishes: Wishes) -> Prepared:
    """Read the script and what goes with it.

    Raises:
        PackageError: the script or its folder cannot be used. UsageError: an option cannot.
    """
    _check(wishes)
    if isinstance(script, Program):
        program = script
    else:
        data = wishes.data if isinstance(wishes.data, str | Path) else None
        program = read_program(
            Path(script).expanduser(),
            None if wishes.model_dir is None else Path(wishes.model_dir).expanduser(),
            None if data is None else Path(data).expanduser(),
        )
    method, source = _merge(wishes.merge)
    text, function = _evaluate(wishes.evaluate)
    environments = _environments(wishes)
    settings = Settings(
        script=program.script,
        nodes=(),
        arguments=shlex.split(wishes.args) if isinstance(wishes.args, str) else [*map(str, wishes.args)],
        environments=environments,
        min_peers=wishes.min_peers,
        patience=float(wishes.patience),
        deadline=float(wishes.deadline),
        merge_method=method,
        merge_source=source,
        evaluate_source=text,
        evaluate_name=function,
        data=wishes.common,
        # HPE's way to say it: then no node waits for another one
        loopback=wishes.loopback or is_bypassed(environments[EVERY_NODE]),
    )
    return Prepared(program, settings)


def _environments(wishes: Wishes) -> dict[str, dict[str, str]]:
    """Variables by node: those of all nodes, and those of single ones."""
    every = read_environments({EVERY_NODE: wishes.env or {}})[EVERY_NODE]
    single = read_environments(wishes.node_env)
    return {**single, EVERY_NODE: {**every, **single.get(EVERY_NODE, {})}}


def _merge(given: str | Callable[..., Any] | None) -> tuple[str | None, str]:
    """A method's name, and the source of a user's function; one of the two at the most."""
    if given is None or given in METHODS:
        return (None if given is None else str(given)), ""
    if isinstance(given, str) and ":" not in given:
        near = did_you_mean(given, METHODS)
        raise UsageError(
            one_line(
                f"no merge method {shorten(given, 40)!r}{near}: there are {listed(METHODS)}, and FILE.py:function"
            )
        )
    return None, merge_source(given)


def _evaluate(given: str | None) -> tuple[str, str]:
    """The source of the file, and the function's name."""
    if given is None:
        return "", ""
    path, _, function = given.rpartition(":")
    if not path or not function.isidentifier():
        raise UsageError(
            one_line(f"evaluate is FILE.py:function(model_dir, data_dir), got {shorten(given, 80)}")
        )
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        compile(text, path, "exec")
    except OSError as error:
        raise UsageError(one_line(f"evaluate: cannot read {shorten(path, 100)}: {error.strerror}")) from error
    except (SyntaxError, ValueError) as error:
        raise UsageError(one_line(f"evaluate: {shorten(path, 80)} is no Python: {error}")) from error
    return text, function


def _check(wishes: Wishes) -> None:
    peers = wishes.min_peers
    if peers is not None and (isinstance(peers, bool) or not isinstance(peers, int) or peers < 1):
        raise UsageError(f"min_peers must be a whole number ≥ 1, got {shorten(repr(peers), 40)}")
    if isinstance(wishes.nodes, int):
        _check_peers(peers, wishes.nodes)
    for name in ("patience", "deadline"):
        value = getattr(wishes, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value < math.inf:
            raise UsageError(f"{name} must be a number of seconds ≥ 0, got {shorten(repr(value), 40)}")


def _check_peers(peers: int | None, nodes: int) -> None:
    if peers is not None and peers > nodes:
        there = "there is 1 node" if nodes == 1 else f"there are {nodes} nodes"
        raise UsageError(f"min_peers={peers}, but {there}: lower it, or give nodes={peers}")
