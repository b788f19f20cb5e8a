"""The same script without merges, each node alone and one with the data of all, beside the run with them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manta_nb.compat.nodedata import lay_out
from manta_nb.compat.swarm_learning.rounds.swarm import ScriptSwarm
from manta_nb.compat.variables import EVERY_NODE
from manta_nb.data.pooling import pool
from manta_nb.errors import UsageError
from manta_nb.sdk.world import LAST
from manta_nb.session.session import Session
from manta_nb.swarm_learning.comparison import Comparison

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.swarm_learning.scriptrun import ScriptRun

__all__ = ["Baselines", "Comparison", "compare"]

#: the only node of a central baseline
CENTRAL = "central"


@dataclass
class Baselines:
    """The runs that a script run has been compared with; each is trained once."""

    local: Run | None = None
    central: Run | None = None
    #: what was decided when the data of all nodes were made one
    notes: list[str] = field(default_factory=list)


def compare(run: ScriptRun, local: bool, central: bool) -> Comparison:
    """See `ScriptRun.compare`."""
    if not run.run.finished:
        raise UsageError(f"{run.name} is not over: {run.name}.wait() first")
    # told before hours of training
    swarm = _scores(run.run)
    if not swarm:
        raise UsageError(
            "there is no number to compare: give the run evaluate=FILE.py:function, or the script val_data"
        )
    done = run._baselines
    if local and done.local is None:
        done.local = _alone(run, _nodes(run))
    if central and done.central is None:
        done.central = _central(run, _nodes(run), done.notes)
    locals_ = _scores(done.local) if local and done.local is not None else {}
    centrals = _scores(done.central) if central and done.central is not None else {}
    return Comparison(run.name, swarm, locals_, centrals.get(CENTRAL, {}), tuple(done.notes))


def _nodes(run: ScriptRun) -> Session:
    """The nodes of the run; in a notebook that has closed them the like of them, started now."""
    return run.run._in_session()


def _alone(run: ScriptRun, session: Session) -> Run:
    """Each node by itself, on the nodes and data of the run."""
    settings = replace(run._prepared.settings, loopback=True, min_peers=1)
    swarm = ScriptSwarm(settings, run._prepared.program)
    return session.run(swarm, 1, seed=run.seed, name=f"{run.name}_local").wait()


def _central(run: ScriptRun, nodes: Session, notes: list[str]) -> Run:
    """One node that has the data of all."""
    prepared = run._prepared
    with tempfile.TemporaryDirectory(prefix="manta-nb-central-") as folder:
        root = Path(folder)
        shares: dict[str, Path] = {}
        for node in nodes.nodes:
            found = lay_out(root / "nodes" / node, nodes.record(node).datasets)
            if found is not None:
                shares[node] = found
        data: Any = None
        if shares:
            notes[:] = pool(shares, root / "all" / CENTRAL)
            data = root / "all"
        environments = {EVERY_NODE: prepared.settings.environment(EVERY_NODE)}
        settings = replace(
            prepared.settings, loopback=True, min_peers=1, nodes=(CENTRAL,), environments=environments
        )
        with Session(nodes=[CENTRAL], data=data, store=nodes.store) as session:
            swarm = ScriptSwarm(settings, prepared.program)
            return session.run(swarm, 1, seed=run.seed, name=f"{run.name}_central").wait()


def _scores(run: Run) -> dict[str, dict[str, float]]:
    """Node → what was measured of its final model: by `evaluate`, else the last value on its validation data."""
    if "node" in list(run.results):
        reports: Mapping[str, Any] = run.results.select("node", method=LAST)
        evaluated = {
            node: dict(each["evaluation"]) for node, each in reports.items() if each.get("evaluation")
        }
        if evaluated:
            return evaluated
    last: dict[str, dict[str, float]] = {}
    for row in run.metrics:
        if row.name.startswith("val_"):
            last.setdefault(row.node, {})[row.name] = row.value
    return {node: last[node] for node in run.nodes if node in last}
