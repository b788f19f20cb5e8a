"""What a node tells of its script: what it prints, what a merged model is worth, and what came of it in the end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from manta_nb.compat.swarm_learning.nodes.attendant import Attendant
from manta_nb.compat.swarm_learning.nodes.evaluating import evaluate
from manta_nb.compat.swarm_learning.nodes.places import Places
from manta_nb.compat.swarm_learning.rounds.settings import Settings
from manta_nb.errors import PackageError
from manta_nb.sdk.task import Task

__all__ = ["Held", "emit", "report", "tell_measures"]


@dataclass
class Held:
    """What a node keeps between its turns."""

    places: Places
    attendant: Attendant
    #: whether what came of it was told
    reported: bool = False


def emit(level: str, line: str) -> None:
    """Hand on a line of a script; what a task prints is live, and in the logs of its node."""
    print(line, file=sys.stdout if level == "stdout" else sys.stderr)


def tell_measures(task: Task, attendant: Attendant) -> None:
    """What the script found on its validation data, as metrics of the run."""
    loaded = attendant.loaded
    if loaded is not None:
        if loaded.loss is not None:
            task.world.metric("val_loss", loaded.loss)
        for name, value in loaded.metrics.items():
            task.world.metric(f"val_{name.lower()}", value)
        task.world.results.add("loaded", {"loss": loaded.loss})
    # the last one: curves are shown in the order in which they come
    task.world.metric("epochs", attendant.epochs)


def report(task: Task, settings: Settings, held: Held) -> None:
    """What came of this node, once: exit code, model directory, checksum, last lines, and what `evaluate` says."""
    if held.reported or task.world.released:
        # nobody would hear it: in a later turn, then
        return
    held.reported = True
    attendant = held.attendant
    told: dict[str, Any] = {
        "exit_code": attendant.exit_code,
        "model_dir": str(held.places.model),
        "checksum": None if attendant.loaded is None else attendant.loaded.checksum,
        "epochs": attendant.epochs,
        "tail": list(attendant.tail),
    }
    if settings.evaluate_source and not attendant.exit_code:
        told["evaluation"] = _evaluation(task, settings, held.places)
    held.places.tidy()
    task.world.results.add("node", told)


def _evaluation(task: Task, settings: Settings, places: Places) -> dict[str, float]:
    """What the user's function says of the final model; a failure of it takes nothing from the training."""
    try:
        found = evaluate(settings, places, task.world.node_id, emit)
    except PackageError as error:
        task.logger.error("%s", error)
        return {}
    for name, value in found.items():
        task.world.metric(name, value)
    return found
