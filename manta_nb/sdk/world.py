"""What a task shares with the swarm.

* `Globals`: one value a tag for the whole swarm, versioned by iteration;
* `Results`: one value a tag and node, for the tasks that come later;
* `World`: both, plus metrics, the choice of the next nodes, and the end.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from enum import IntEnum
from typing import Any

from manta_nb.errors import DefinitionError, ValueRefused
from manta_nb.sdk.checks import LONGEST_NAME, check_metric, check_quorum, metric_points, shown
from manta_nb.sdk.context import Host, TaskContext

__all__ = ["LAST", "Globals", "ResultMethod", "Results", "World"]


class ResultMethod(IntEnum):
    """Which results `Results.select` returns."""

    UNSPECIFIED = 0
    #: the latest value of every node, from whatever iteration
    LAST = 1
    #: the values of one iteration
    ALL = 2


LAST = ResultMethod.LAST


class Globals:
    """The values all nodes share: `world.globals["lr"]`, `world.globals["lr"] = 0.1`.

    A read gives the value committed by the previous iteration, or a write of an earlier task of this one.
    Every read is a fresh copy: `globals["h"]["lr"] = 1` changes that copy only; assign the whole value again.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def __getitem__(self, tag: str) -> Any:
        return self._host.read_global(tag)

    def __setitem__(self, tag: str, value: Any) -> None:
        self._host.write_global(_check_tag(tag, "Global"), value)

    def __contains__(self, tag: object) -> bool:
        return tag in self._host.global_tags()

    def __iter__(self) -> Iterator[str]:
        return iter(self._host.global_tags())

    def __len__(self) -> int:
        return len(self._host.global_tags())

    def keys(self) -> list[str]:
        """The tags that can be read."""
        return self._host.global_tags()

    def get(self, tag: str, default: Any = None) -> Any:
        """The value of `tag`, or `default` where there is none."""
        return self._host.read_global(tag) if tag in self else default

    def __repr__(self) -> str:
        return f"Globals({', '.join(self.keys())})"


class Results:
    """What nodes hand to later tasks: `results.add("params", w)`, `results.select("params")`."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def add(self, tag: str, result: Any) -> None:
        """Store `result` under `tag` for this node; a second call in one iteration replaces the first.

        Under the tag `metrics` numbers (and lists of numbers, one a step) are shown as curves, too.

        Raises:
            ValueRefused: the value cannot travel; the message names its type and path.
        """
        self._host.add_result(_check_tag(tag, "Result"), result)
        if tag == "metrics":
            for name, value, step in metric_points(result):
                self._host.add_metric(name, value, step)

    def select(
        self,
        tag: str,
        size: int = -1,
        method: ResultMethod = ResultMethod.ALL,
        *,
        iteration: int | None = None,
    ) -> dict[str, Any]:
        """`{node_id: value}` of `tag` in this iteration, or in the latest earlier one that wrote it.

        Args:
            tag: what `add` was given.
            size: at most so many nodes; -1 for all.
            method: `LAST` for the latest value of every node, whatever its iteration.
            iteration: that iteration only; one that is no longer kept is a `MissingTag`.

        Returns:
            An empty dict where nobody wrote the tag.
        """
        values = self._host.select(tag, iteration, method == ResultMethod.LAST)
        return values if size < 0 else dict(list(values.items())[:size])


class World:
    """The swarm as one task sees it."""

    def __init__(self, context: TaskContext) -> None:
        self._host = context.host
        #: name of the node this task runs on
        self.node_id = context.node_id
        #: the iteration, counted from 0
        self.iteration = context.iteration
        #: id of the run
        self.run_id = context.run_id
        self.globals = Globals(context.host)
        self.results = Results(context.host)

    def metric(self, name: str, value: float, step: float | None = None) -> None:
        """Record a number that people watch while the task runs.

        Args:
            name: what it is, such as `"val_acc"`.
            value: a number; NaN is kept and leaves a gap in the curve.
            step: position inside the iteration (an epoch, a batch); None for one value an iteration.
        """
        self._host.add_metric(*check_metric(name, value, step))

    def schedule_next_iter(self, node_ids: Sequence[str], task_to_schedule_alias: str) -> None:
        """Run the task with that alias on these nodes only in the next iteration."""
        if isinstance(node_ids, str):
            raise DefinitionError(f"node_ids must be a list of node names, got the string {node_ids!r}")
        names = [str(node_id) for node_id in node_ids]
        if not names:
            raise DefinitionError(
                f"schedule_next_iter got no node for {task_to_schedule_alias!r}: call stop_swarm() to end the run"
            )
        self._host.schedule(names, task_to_schedule_alias)

    def stop_swarm(self) -> None:
        """End the run after this iteration has been committed."""
        self._host.stop()

    def quorum(self, nodes: int, patience: float, deadline: float, away: bool = False) -> None:
        """Let the run go on from this task without all of its nodes, in this iteration.

        It goes on when `nodes` nodes are done, whatever the module's `min_nodes`. The others get `patience` more
        seconds, those whose machine is away none; then they are released: see `released`. What this node says
        counts once its turn is done, the last call of a turn. Where several nodes say different things, most nodes,
        least patience and the longest deadline count, and `away` only where all say so.

        Args:
            nodes: how many must be done, this one included.
            patience: seconds for the rest, from when so many are done; `math.inf` for no limit.
            deadline: seconds from when the first node that called this is done; while too few are done by then the
                run fails, and names who is missing. `math.inf` for no limit.
            away: wait for nodes that are away, too: `patience` seconds, as for the others.

        Raises:
            ValueRefused: a number that is none, or out of range.

        Example:
            >>> self.world.quorum(nodes=2, patience=30, deadline=600)
        """
        self._host.quorum(*check_quorum(nodes, patience, deadline), bool(away))

    @property
    def released(self) -> bool:
        """Whether the run has gone on without this turn: what it still does counts for nobody.

        It becomes true in the middle of a turn, so long ones look now and then, and come to an end.
        A look costs microseconds.

        Example:
            >>> while not self.world.released and not arrived():
            ...     time.sleep(0.05)
        """
        return self._host.released

    @property
    def _state(self) -> MutableMapping[str, Any]:
        return self._host.state


def _check_tag(tag: object, what: str) -> str:
    if not isinstance(tag, str) or not 0 < len(tag) <= LONGEST_NAME:
        raise ValueRefused(
            f"the tag of a {what} is a text of 1 to {LONGEST_NAME} characters, got {shown(tag)}"
        )
    return tag
