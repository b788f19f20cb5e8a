"""The task graph of a run, drawn: its tasks, where it begins again, and who may end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from manta_nb.engine.progress import TaskProgress
from manta_nb.render import plain
from manta_nb.sdk.graph import TaskGraph
from manta_nb.session.layout import lay_out
from manta_nb.session.svggraph import Box, State, draw_svg
from manta_nb.session.textgraph import draw_text
from manta_nb.session.views import View

__all__ = ["GraphView", "counts_text", "task_state"]

_MARKS: Mapping[State, str] = {"pending": "", "running": "▸ ", "done": "✓ ", "failed": "✗ "}
#: a terminal's width; a wider graph is listed instead of drawn
_WIDEST_TEXT = 120


def task_state(task: TaskProgress | None) -> State:
    """The one word for a task: running before failed before done before pending."""
    if task is None:
        return "pending"
    return "running" if task.running else "failed" if task.failed else "done" if task.done else "pending"


def counts_text(task: TaskProgress) -> str:
    """`5 done, 2 running, 1 failed`, without those that are none; `waiting` for nobody at all."""
    parts = [(task.done, "done"), (task.running, "running"), (task.failed, "failed")]
    return ", ".join(f"{count} {word}" for count, word in parts if count) or "waiting"


class GraphView(View):
    """The graph of a run: `run.graph` shows it, `str(run.graph)` is the same in characters.

    `progress` gives the tasks of the running iteration in numbers of nodes; `planned` on how many nodes a task is
    meant to run, for those that have not started.
    ```
    ┌───────────┐    ┌───────────────┐    ┌──────────────┐
    │ worker ×8 │───>│ aggregator ×1 │───>│ scheduler ×1 │── may stop ──> end
    └───────────┘    └───────────────┘    └──────────────┘
          ^                                      │
          └─────────── next iteration ───────────┘
    ```
    """

    def __init__(
        self,
        graph: TaskGraph,
        progress: Callable[[], Iterable[TaskProgress]] = tuple,
        planned: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        #: the tasks as they were defined, with their modules
        self.tasks = graph.tasks
        self._progress = progress
        self._planned = planned
        self._stops = [task.alias for task in graph.tasks if task.module.usage.stops]
        self._inputs = {task.alias: task.inputs for task in graph.tasks}
        self._layout = lay_out(graph.layers(), self._inputs)

    def __str__(self) -> str:
        boxes = self._boxes()
        early = set(self._stops) - set(self._layout.layers[-1])
        labels = {
            alias: plain(box.label) + (" (may stop)" if alias in early else "")
            for alias, box in boxes.items()
        }
        drawn = draw_text(self._layout, labels, self._stops)
        if max(map(len, drawn.split("\n"))) <= _WIDEST_TEXT:
            return drawn
        order = [place for layer in self._layout.layers for place in layer if isinstance(place, str)]
        return "\n".join(self._listed(alias, labels[alias]) for alias in order)

    def _repr_html_(self) -> str:
        boxes = self._boxes()
        said = ", then ".join(f"{box.label} ({box.state})" for box in boxes.values())
        stops = f"; {' and '.join(self._stops)} may stop" if self._stops else ""
        return draw_svg(
            self._layout, boxes, self._stops, f"Task graph: {said}; then the next iteration{stops}"
        )

    def _boxes(self) -> dict[str, Box]:
        tasks, planned = {task.alias: task for task in self._progress()}, self._planned()
        boxes = {}
        for alias in self._inputs:
            task = tasks.get(alias)
            nodes = (task.placed if task is not None else 0) or planned.get(alias, 0)
            label = f"{_MARKS[task_state(task)]}{alias}" + (f" ×{nodes}" if nodes else "")
            title = f"{alias}: {counts_text(task) if task is not None else 'waiting'}"
            boxes[alias] = Box(label, task_state(task), title)
        return boxes

    def _listed(self, alias: str, label: str) -> str:
        after = f"  after {', '.join(self._inputs[alias])}" if self._inputs[alias] else ""
        stops = "  (may stop)" if alias in self._stops and "(may stop)" not in label else ""
        return label + after + stops
