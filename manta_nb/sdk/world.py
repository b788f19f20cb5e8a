"""What a task shares with the swarm.

* `Globals`: one value a tag for the whole swarm, versioned by iteration;
* `Results`: one value a tag and node, for the tasks that come later;
* `World`: both, plus metrics, the choice of the next nodes, and the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping, Sequence
from enum import IntEnum
from typing import Any

from manta_nb.errors import DefinitionError, ValueRefused
from manta_nb.sdk.context import Host, TaskContext

__all__ = ["LAST", "Globals", "ResultMethod", "Results", "World", "check_metric", "metric_points"]

LONGEST_NAME = 200


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

    @property
    def _state(self) -> MutableMapping[str, Any]:
        return self._host.state


def check_metric(name: object, value: object, step: object) -> tuple[str, float, float | None]:
    """`(name, value, step)` as plain numbers, or `ValueRefused`."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ValueRefused(f"a metric's name is a text of 1 to {LONGEST_NAME} characters, got {_short(name)}")
    number = _number(value)
    if number is None:
        raise ValueRefused(
            f"metric {name!r} must be a number, got {_short(value)}: a list of numbers goes to "
            f'results.add("metrics", {{...}})'
        )
    if step is None:
        return name, number, None
    position = _number(step)
    if position is None or not math.isfinite(position):
        raise ValueRefused(f"step of metric {name!r} must be a finite number, got {_short(step)}")
    return name, number, position


def metric_points(value: object, prefix: str = "") -> Iterator[tuple[str, float, float | None]]:
    """The points inside a value added under the tag `metrics`; what is not a number is left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from metric_points(inner, f"{prefix}.{key}" if prefix else str(key))
        return
    name = (prefix or "value")[:LONGEST_NAME]
    number = _number(value)
    if number is not None:
        yield name, number, None
    elif hasattr(value, "tolist") or isinstance(value, list | tuple):
        steps = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(steps, list | tuple):
            for step, item in enumerate(steps):
                number = _number(item)
                if number is not None:
                    yield name, number, float(step)


def _number(value: object) -> float | None:
    if isinstance(value, str | bytes | bytearray) or value is None:
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
    except (TypeError, ValueError, RuntimeError):
        # RuntimeError: torch's word for a tensor of many elements
        return None


def _check_tag(tag: object, what: str) -> str:
    if not isinstance(tag, str) or not 0 < len(tag) <= LONGEST_NAME:
        raise ValueRefused(
            f"the tag of a {what} is a text of 1 to {LONGEST_NAME} characters, got {_short(tag)}"
        )
    return tag


def _short(value: object) -> str:
    text = repr(value)
    return f"{text[:40]}… ({type(value).__name__})" if len(text) > 40 else f"{text} ({type(value).__name__})"
