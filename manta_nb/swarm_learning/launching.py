"""`swarm_learning.run`: a training script on nodes, as an ordinary run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.rounds.settings import DEADLINE, PATIENCE
from manta_nb.compat.swarm_learning.rounds.swarm import ScriptSwarm
from manta_nb.session import foreign
from manta_nb.session.foreign import Environments, PathLike
from manta_nb.session.session import Session
from manta_nb.swarm_learning.preparing import Prepared, Wishes, prepare
from manta_nb.swarm_learning.scriptrun import ScriptRun

__all__ = ["launch", "run"]


def run(
    script: PathLike | Program,
    *,
    nodes: int | Sequence[str] | None = None,
    data: object = None,
    min_peers: int | None = None,
    env: Mapping[str, Any] | None = None,
    node_env: PathLike | Environments | None = None,
    args: str | Sequence[str] = (),
    model_dir: PathLike | None = None,
    merge: str | Callable[..., Any] | None = None,
    evaluate: str | None = None,
    patience: float = PATIENCE,
    deadline: float = DEADLINE,
    seed: int | None = None,
    session: Session | None = None,
    name: str | None = None,
    wait: bool = False,
    say: Callable[[str], None] = print,
    **options: Any,
) -> ScriptRun:
    """Run a training script that uses a `SwarmCallback`: one process a node; its merges are the iterations of a run.

    Args:
        script: the file; the whole folder it lies in is copied to each node as its model directory.
        nodes: how many, or their names; None: those of `data`, else those of `node_env`, else 4. Not with
            `session`.
        data: what a script finds in DATA_DIR: see `Session`. A folder with a subfolder a node gives each its own.
        min_peers: nodes that a merge needs: sets MIN_PEERS, which scripts hand to their `SwarmCallback`.
        env: variables of all scripts, such as `{"MAX_EPOCHS": 5}`.
        node_env: node (or "*") → variables; or a JSON file with that.
        args: what the script finds in `sys.argv`.
        model_dir: the folder to copy, instead of the one the script lies in.
        merge: "mean", "coordmedian", "geomedian", `FILE.py:function` or a function of (models, weights); None: what
            the scripts ask for.
        evaluate: `FILE.py:function`: called with (model_dir, data_dir) of each node at the end; what it returns, a
            dict of numbers, are metrics.
        patience: seconds that the other nodes get once `min_peers` have checked in.
        deadline: seconds in which `min_peers` must check in; else the run fails, naming who is missing.
        seed: makes the run repeatable: random, numpy, torch and keras of each script are seeded.
        session: nodes to use; None: in a notebook those of `%manta start`, else new ones.
        name: what the run is called; by default the script's name.
        wait: return when it is over.
        say: told in single lines what goes on before the run starts.
        options: further options of `Session`, such as `partition="dirichlet"`.

    Raises:
        PackageError: the script or its folder cannot be used. UsageError: an option cannot.

    Example:
        >>> run = swarm_learning.run("mnist_pyt.py", nodes=3, data="shares", min_peers=2, env={"MAX_EPOCHS": 5})
        >>> run.wait().merges
    """
    asked = locals()
    wishes = Wishes(**{each.name: asked[each.name] for each in fields(Wishes) if each.name in asked})
    prepared = prepare(script, wishes)
    made = foreign.start_on(session, wishes, say, lambda nodes: launch(nodes, prepared, wishes))
    for note in made.notes:
        say(note)
    return made.wait() if wait else made


def launch(session: Session, prepared: Prepared, wishes: Wishes) -> ScriptRun:
    """Start a script that is prepared on the nodes of a session."""
    ready = prepared.for_nodes(list(session.nodes))
    swarm = ScriptSwarm(ready.settings, ready.program)
    iterations = 1 if ready.settings.loopback else None
    made = session.run(swarm, iterations, seed=wishes.seed, name=wishes.name)
    return ScriptRun(made, session, ready, wishes, [*prepared.notes, *_shared_workers(session)])


def _shared_workers(session: Session) -> list[str]:
    """A line where several nodes share a process: they are one after the other's turn, whatever `patience` says."""
    workers = {node.worker for node in session.nodes.values()}
    if len(workers) >= len(session.nodes):
        return []
    line = (
        f"{len(session.nodes)} nodes share {len(workers)} workers: those of one wait for each other, without patience "
        "or deadline; HPE has one worker a node"
    )
    return [line]
