"""`Trial`: one task, once, on one node, now — and what it read, added, logged and cost."""

from __future__ import annotations

from collections.abc import Mapping
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from manta_nb.engine.records import Failure
from manta_nb.errors import RunFailed
from manta_nb.render import Card, Table
from manta_nb.sdk.describe import describe
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.module import Module
from manta_nb.sdk.refusal import size_text
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.planning import blueprint
from manta_nb.session.replay import replay
from manta_nb.session.run import Run
from manta_nb.session.views import View

if TYPE_CHECKING:
    from manta_nb.session.session import Session

__all__ = ["Trial", "try_on"]

#: seconds a trial may take to come back after its task's own time limit
DEADLINE = 24 * 3600
#: what would end, interrupt or fill the notebook's own process if it happened here
ONLY_THERE = ("KeyboardInterrupt", "MemoryError", "SystemExit", "RuntimeError: over the node's memory limit")


class Trial(View):
    """What came of one task on one node.

    Attributes:
        node_id: where it ran.
        read: what it read, as it was asked for: `["Global lr", "Result params"]`.
        results: tag → value it added.
        globals: tag → value it wrote.
        metrics, logs: as of a run.
        seconds, bytes_out: what it cost.
    """

    def __init__(self, run: Run, module: Module, node_id: str) -> None:
        self.module = module.alias
        self.node_id = node_id
        self.seconds = run.nodes.seconds.get(node_id, 0.0)
        self.bytes_out = run.nodes.bytes_out.get(node_id, 0)
        self.metrics = run.metrics
        self.logs = run.logs
        self.read = list(dict.fromkeys(event.message for event in run.events if event.kind == "read"))
        self.results = {tag: run.results.select(tag)[node_id] for tag in run.results.tags()}
        changed = run.globals.changed()
        self.globals = {tag: run.globals[tag] for tag in changed}
        self.notes = [event.message for event in run.events if event.kind != "read"]

    def __str__(self) -> str:
        logs = [str(self.logs)] if len(self.logs) else []
        return "\n".join([self._title(), str(self._table()), *self.notes, *logs])

    def _repr_html_(self) -> str:
        parts: list[Any] = [self._table(), *self.notes]
        if len(self.logs):
            parts.append(self.logs)
        return Card(self._title(), parts)._repr_html_()

    def _title(self) -> str:
        cost = f"{self.seconds * 1000:.0f} ms" if self.seconds < 1 else f"{self.seconds:.1f} s"
        return f"{self.module} on {self.node_id} · {cost} · {size_text(self.bytes_out)} out"

    def _table(self) -> Table:
        rows: list[list[str]] = [["read " + what, ""] for what in self.read]
        rows += [[f"added Result {tag}", describe(value)] for tag, value in self.results.items()]
        rows += [[f"wrote Global {tag}", describe(value)] for tag, value in self.globals.items()]
        rows += [[f"metric {row.name}", f"{row.value:.6g}"] for row in self.metrics.rows()[:20]]
        return Table(["what it did", "value"], rows)


def try_on(session: Session, module: Module, node_id: str, globals: Mapping[str, Any]) -> Trial:
    """Run `module` once on `node_id`; where it raises, raise the same here, with the user's frames.

    The task runs on the node, as in a swarm. If it raises, it is run once more in this process, with the
    same data and seed, so that the exception has frames and `%debug` works.

    Raises:
        NodeError: there is no such node. RunFailed: its process died, or took too long.
    """
    # IPython leaves out the frames of functions that say so: the user's own are what matters
    __tracebackhide__ = True
    session.nodes[node_id]
    alone = module.with_options(
        method="all",
        maximum=None,
        specified_ids=None,
        excepted_ids=None,
        min_nodes=None,
        retries=0,
        fixed=False,
    )
    made = blueprint(FlowSwarm(f"try {module.alias}", TaskSpec(alone), globals), None, 1, 0, trace=True)
    run = session._launch(made, [node_id], kept=False).wait(timeout=DEADLINE, check=False)
    if session.store.states is not None:
        # nobody goes on with a trial
        rmtree(session.store.states / run.run_id, ignore_errors=True)
    if run.status == "completed":
        return Trial(run, module, node_id)
    failure: Failure | None = run.failure
    if failure is not None and failure.kind == "error" and not failure.message.startswith(ONLY_THERE):
        replay(session, module, node_id, globals, run)
    raise RunFailed(run.error)
