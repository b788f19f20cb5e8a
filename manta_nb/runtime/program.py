"""What runs for a task, and the requests that are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import RunPlan
from manta_nb.runtime.reading import Reading
from manta_nb.runtime.runners.request import BatchRequest, Policy, SharedRequest
from manta_nb.sdk.source import ModuleSource

__all__ = ["Program"]


@dataclass(frozen=True)
class Program:
    """What runs for one alias, beyond its placement."""

    source: ModuleSource
    policy: Policy
    #: result tags its text selects; None: cannot be told, so all of them are moved
    selects: tuple[str, ...] | None = None
    #: whether its text calls schedule_next_iter
    schedules: bool = False

    def shared(
        self, plan: RunPlan, task: RunTask, reading: Reading, known_nodes: tuple[str, ...]
    ) -> SharedRequest:
        """The part of a request that is the same for every worker that reads in the same way."""
        return SharedRequest(
            run_id=plan.run_id,
            iteration=task.iteration,
            task=task.alias,
            attempt=task.attempt,
            seed=plan.seed,
            kept=task.kept,
            source=self.source,
            policy=self.policy,
            segments=reading.places,
            globals=reading.globals,
            results=reading.results,
            dropped=task.results.dropped,
            aliases=tuple(each.alias for each in plan.tasks),
            known_nodes=known_nodes if self.schedules else None,
        )

    def request(
        self,
        run_id: str,
        task: RunTask,
        node_ids: tuple[str, ...],
        reading: Reading,
        shared: str,
        unneeded: tuple[tuple[str, ...], tuple[str, ...]],
        paces: Mapping[str, float],
    ) -> BatchRequest:
        """The request to one worker; `unneeded` are the segments it may free, and those it may write over.

        `run_id` names this execution of the run, `shared` holds the run's own id.
        """
        states = {node: task.states[node] for node in node_ids if node in task.states} if task.states else {}
        return BatchRequest(
            shared=shared,
            run_id=run_id,
            iteration=task.iteration,
            task=task.alias,
            attempt=task.attempt,
            policy=self.policy,
            node_ids=node_ids,
            states=states,
            paces=paces,
            release=unneeded[0],
            reuse=unneeded[1],
            imports=reading.imports,
            needs=reading.needs,
        )
