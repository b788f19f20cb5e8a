"""`manta-nb run SWARM.py[:Class]`: a swarm of a file, on nodes of this machine, from start to report."""

from __future__ import annotations

import contextlib
import traceback
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

import manta_nb
from manta_nb import shims
from manta_nb.cli.console import Console
from manta_nb.cli.watching import FAILED, second_interrupt_kills, watch_to_end
from manta_nb.engine.records import NodeInfo
from manta_nb.errors import MantaError
from manta_nb.runtime.runners.cleaning import seed_everything
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.loader import load_swarm, parse_params
from manta_nb.session.planning import Blueprint, blueprint
from manta_nb.session.session import Session
from manta_nb.ui.asked import with_partition

__all__ = ["main"]

#: options of the command that are not the session's
_OWN = ("given", "swarm", "p", "iterations", "seed", "json", "inline")


def main(options: Namespace, console: Console, open_session: Callable[..., Session] = Session) -> int:
    """Run a swarm and report; the exit code says how it ended.

    Raises:
        MantaError: the file, its swarm or an option is not as it should be.
    """
    params = parse_params(options.p or [])
    if options.seed is not None:
        # The file may make a model of random weights; torch is seeded only where it is loaded already.
        import_module("torch")
        seed_everything(options.seed)
    for note in shims.install():
        console.say(note)
    # What the file prints is not the data that stdout is for.
    with contextlib.redirect_stdout(console.talk):
        try:
            swarm = load_swarm(options.swarm, params)
        except (MantaError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a user's file raises while it is loaded is shown
            console.say(_own_traceback(error))
            return FAILED
        # Checked before the nodes start, which takes a while.
        made = blueprint(swarm, None, options.iterations, options.seed)
        with second_interrupt_kills(), open_session(**_session_options(options, console)) as session:
            # so that it can be read again where the run is resumed
            session.source, session.params = _absolute(options.swarm), params
            return _run(session, swarm, made, options, console)


def _run(session: Session, swarm: Swarm, made: Blueprint, options: Namespace, console: Console) -> int:
    console.say(_header(session, made))
    run = session.run(swarm, options.iterations, seed=made.plan.seed)
    return watch_to_end(run, console, options.json)


def _session_options(options: Namespace, console: Console) -> dict[str, Any]:
    """The keyword arguments of `Session` that the command line means."""
    chosen = {key: value for key, value in vars(options).items() if key not in _OWN and value is not None}
    if "data" not in chosen:
        chosen["data"] = "digits"
        console.say(f"no --data: {chosen.get('nodes', 4)} nodes of digits")
    if options.seed is not None:
        chosen["seed"] = options.seed
    return {**with_partition(chosen), "runner": "inline" if options.inline else "process", "say": console.say}


def _header(session: Session, made: Blueprint) -> str:
    """`FLSwarm: worker ×8 → aggregator ×1 → scheduler ×1 · seed 7`."""
    nodes = [NodeInfo(node.node_id, node.worker, frozenset(node.datasets)) for node in session.nodes.values()]
    counts = made.counts(nodes)
    layers = [[f"{alias} ×{counts[alias]}" for alias in layer] for layer in made.graph.layers()]
    drawn = " → ".join(names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in layers)
    return f"{made.plan.name}: {drawn} · seed {made.plan.seed}"


def _absolute(swarm: str) -> str:
    """`FILE.py:Class` with the whole path of the file."""
    file, colon, name = swarm.rpartition(":") if ".py:" in swarm else (swarm, "", "")
    return f"{Path(file).resolve()}{colon}{name}"


def _own_traceback(error: BaseException) -> str:
    """The traceback of an error in the user's file, from the first line of theirs on."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and not _is_theirs(frames):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames or error.__traceback__)).rstrip()


def _is_theirs(frames: TracebackType) -> bool:
    file = frames.tb_frame.f_code.co_filename
    return not file.startswith("<") and not Path(file).is_relative_to(Path(manta_nb.__file__).parent)
