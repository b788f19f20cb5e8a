"""The run as a whole: how far it is, its tasks, its graph, and why it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import Any

from manta_nb.engine.progress import Progress, TaskProgress
from manta_nb.session.drawing import task_state
from manta_nb.session.feed.look import Buttons, Look
from manta_nb.session.feed.message import Draft, clean, name, weight
from manta_nb.session.layout import Bend
from manta_nb.session.run import Run

__all__ = ["Error", "Graph", "Head", "Tasks"]

#: workers that are named of a task
_WORKERS = 4
#: characters of a traceback, from its end, and lines of output; fewer where that is too much for a delta
_LONG, _SHORT = (8_000, 10), (1_000, 2)


class Head:
    """The section `run`: sent whole when anything but the clock has changed."""

    def __init__(self, run: Run, buttons: Callable[[], Buttons], many: bool) -> None:
        self._run = run
        self._buttons = buttons
        self._many = many
        self._name = name(run.name)
        #: all that the section was made of, but for the clock
        self._made_of: tuple[object, ...] = ()

    def reset(self) -> None:
        """See `Part`."""
        self._made_of = ()

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        run, history = self._run, self._run._history
        leg, buttons = run._leg, self._buttons()
        driver, finished, away = leg.driver, leg.done.is_set(), len(history.work.away)
        progress, iterations = driver.progress, run.iterations
        where = (progress.status, progress.reason, progress.committed, progress.iteration, iterations)
        made_of = (*where, finished, driver.finish, history.bytes_total, away, buttons, run.started)
        if made_of == self._made_of:
            return
        self._made_of = made_of
        left, elapsed, done = None, leg.elapsed, progress.committed
        if iterations and not finished and 0 < done < iterations:
            left = round(elapsed / done * (iterations - done), 1)
        body = self._body(progress, buttons, finished, away)
        body["elapsed"], body["left"] = round(elapsed, 2), left
        draft.put("run", body, 700 + 6 * len(body["error"] + body["reason"] + self._name + body["note"]))

    def _body(self, progress: Progress, buttons: Buttons, finished: bool, away: int) -> dict[str, Any]:
        run, history = self._run, self._run._history
        running = progress.status in ("running", "stopping") and not finished
        return {
            "run_id": run.run_id,
            "name": self._name,
            "status": progress.status,
            "reason": clean(progress.reason),
            "error": clean(run.error) if progress.status == "failed" else "",
            "iteration": progress.committed,
            "iterations": run.iterations,
            "running_iteration": progress.iteration if running else None,
            "started": round(run.started, 3),
            "finished": finished,
            "seed": run.seed,
            "bytes_moved": history.bytes_total,
            "bytes_iteration": history.bytes_moved.get(progress.committed - 1, 0),
            "nodes_alive": len(run.nodes) - away,
            "nodes_total": len(run.nodes),
            "many": self._many,
            "controls": buttons.controls,
            "can_stop": progress.status in ("pending", "running") and not finished,
            "can_resume": buttons.can_resume,
            "note": clean(buttons.note),
        }


class Graph:
    """The section `graph`, which never changes: only a full message has it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        graph = self._run.graph
        layout, stops, planned = graph._layout, graph._stops, graph._planned()
        places = [(at, place) for at, layer in enumerate(layout.layers) for place in layer]
        tasks = [
            {
                "alias": name(place),
                "layer": at,
                "row": layout.rows[place],
                "label": name(place + (f" ×{planned[place]}" if planned.get(place) else "")),
                "may_stop": place in stops,
            }
            for at, place in places
            if isinstance(place, str)
        ]
        bends = [
            {
                "source": name(place.source),
                "target": name(place.target),
                "layer": at,
                "row": layout.rows[place],
            }
            for at, place in places
            if isinstance(place, Bend)
        ]
        edges = [[name(a), name(b)] for b, sources in graph._inputs.items() for a in sources]
        size = {"layers": len(layout.layers), "height": layout.height}
        draft.put("graph", {"tasks": tasks, "edges": edges, "bends": bends, **size}, 0)


class Tasks:
    """The section `tasks`: the running iteration in numbers of nodes, and where each task runs.

    `seconds` is the longest turn so far in the latest iteration that the task ran in.
    """

    def __init__(self, run: Run, look: Look) -> None:
        self._run = run
        self._look = look
        self._sent: list[dict[str, Any]] | None = None
        #: all that the section was made of: pictures that are replaced, and a number that counts changes
        self._made_of: tuple[object, ...] = ()
        #: alias → the nodes that `where` was made of, and the text
        self._where: dict[str, tuple[tuple[str, ...], Mapping[str, Any], str]] = {}

    def reset(self) -> None:
        """See `Part`."""
        self._sent = None
        self._made_of = ()

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        driver = self._run._driver
        made_of = (driver.progress, driver.finish, self._run._history.work.revision, self._look.nodes)
        if self._made_of and all(map(is_, made_of, self._made_of)):
            return
        self._made_of = made_of
        planned = self._run.graph._planned()
        rows = [self._row(task, planned) for task in self._run.progress.tasks]
        if rows != self._sent:
            self._sent = rows
            size = sum(190 + 6 * len(row["alias"] + row["where"]) for row in rows)
            draft.put("tasks", rows, size)

    def _row(self, task: TaskProgress, planned: Mapping[str, int]) -> dict[str, Any]:
        work = self._run._history.work.tasks.get(task.alias)
        return {
            "alias": name(task.alias),
            "state": task_state(task),
            "placed": task.placed,
            "planned": task.placed or planned.get(task.alias, 0),
            "running": task.running,
            "done": task.done,
            "failed": task.failed,
            "seconds": None if work is None or work.seconds is None else round(work.seconds, 4),
            "where": "" if work is None else self._places(task.alias, work.nodes),
        }

    def _places(self, alias: str, nodes: tuple[str, ...]) -> str:
        seen = self._look.nodes
        known = self._where.get(alias)
        if known is not None and known[0] is nodes and known[1] is seen:
            return known[2]
        if known is not None and known[0] == nodes and known[1] is seen:
            text = known[2]
        else:
            text = _where(seen[node].worker if node in seen else "" for node in nodes)
        self._where[alias] = (nodes, seen, text)
        return text


class Error:
    """The section `error`: what failed, as soon as the run has."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._sent: object = self

    def reset(self) -> None:
        """See `Part`."""
        self._sent = self

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        finish = self._run._driver.finish
        if finish is self._sent or (self._sent is self and finish is None and not draft.whole):
            return
        self._sent = finish
        failed = finish is not None and finish.status == "failed"
        body = self._body(finish.task, *_LONG) if finish is not None and failed else None
        if finish is not None and weight(body) > draft.room:
            body = self._body(finish.task, *_SHORT)
        draft.put("error", body, weight(body))

    def _body(self, task: str, characters: int, lines: int) -> dict[str, Any]:
        failure, message = self._run.failure, clean(self._run.error)
        if failure is None:
            empty: dict[str, Any] = {"node": None, "where": None, "traceback": None, "output": []}
            return {"message": message, "task": name(task) or None, **empty}
        trace = failure.traceback
        if len(trace) > characters:
            trace = "…\n" + trace[-characters:].partition("\n")[2]
        return {
            "message": message,
            "node": name(failure.node_id) or None,
            "task": name(task) or None,
            "where": clean(failure.where) or None,
            "traceback": clean(trace, characters + 2) or None,
            "output": [clean(line, 500) for line in failure.output[-lines:]],
        }


def _where(workers: Iterable[str]) -> str:
    """`worker-0 ×4, worker-1 ×4`."""
    counts = Counter(worker for worker in workers if worker)
    most = counts.most_common(_WORKERS) if len(counts) > _WORKERS else list(counts.items())
    said = [f"{clean(worker, 60)} ×{count}" for worker, count in most]
    rest = len(counts) - len(said)
    return ", ".join([*said, *([f"and {rest} more"] if rest else [])])
