"""What a kernel would send to the monitor of a long run, made up: 1000 iterations × 100 nodes by protocol version 1."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

__all__ = ["stream"]

Message = dict[str, Any]


def stream(iterations: int, nodes: int, before: int, each: int, every: float) -> list[Message]:
    """A recorded feed `[{t, msg, buffers}]`: a `full` with the first `before` iterations, then `each` a delta.

    One delta every `every` seconds: the points of its iterations, all rows of nodes, the tasks, the head.
    """
    rng = np.random.default_rng(0)
    values = np.exp(-np.arange(iterations) / iterations * 3)[:, None] + 0.1 * rng.random((iterations, nodes))
    first = {
        "op": "full",
        "seq": 0,
        "graph": {
            "tasks": [
                {"alias": alias, "layer": layer, "row": 0, "label": alias, "may_stop": layer == 2}
                for layer, alias in enumerate(("worker", "aggregator", "scheduler"))
            ],
            "edges": [["worker", "aggregator"], ["aggregator", "scheduler"]],
            "bends": [],
            "layers": 3,
            "height": 1,
        },
        "names": {
            "nodes": [f"node_{index}" for index in range(nodes)],
            "tasks": ["worker", "aggregator", "scheduler"],
            "metrics": [{"name": "loss", "label": "loss", "lower": True}],
        },
        **_state(before, iterations, nodes),
    }
    made = [_recorded(0.0, first, values, 0, before)]
    for number, start in enumerate(range(before, iterations, each)):
        stop = min(start + each, iterations)
        message = {"op": "delta", "seq": number + 1, **_state(stop, iterations, nodes)}
        made.append(_recorded((number + 1) * every, message, values, start, stop))
    return made


def _recorded(at: float, message: Message, values: np.ndarray, start: int, stop: int) -> Message:
    nodes = values.shape[1]
    ints = np.zeros(((stop - start) * nodes, 3), np.int32)
    ints[:, 1] = np.tile(np.arange(nodes), stop - start)
    ints[:, 2] = np.repeat(np.arange(start, stop), nodes)
    floats = np.full((len(ints), 2), np.nan)
    floats[:, 1] = values[start:stop].ravel()
    buffers = [base64.b64encode(array.tobytes()).decode() for array in (ints, floats)]
    return {"t": at, "msg": {**message, "points": {"n": len(ints)}}, "buffers": buffers}


def _state(done: int, iterations: int, nodes: int) -> Message:
    """What changes with every iteration beside the points."""
    running = done < iterations
    task = {"placed": nodes, "planned": nodes, "running": nodes // 2, "done": nodes // 2, "failed": 0}
    return {
        "run": {
            "run_id": "3f2a9c01",
            "name": "fl",
            "status": "running" if running else "completed",
            "reason": "",
            "error": "",
            "iteration": done,
            "iterations": iterations,
            "running_iteration": done if running else None,
            "started": 1_790_000_000.0,
            "elapsed": done / 10,
            "left": (iterations - done) / 10,
            "finished": not running,
            "seed": 0,
            "bytes_moved": done * nodes * 1000,
            "bytes_iteration": nodes * 1000,
            "nodes_alive": nodes,
            "nodes_total": nodes,
            "many": False,
            "controls": "live",
            "can_stop": running,
            "can_resume": not running,
            "note": "",
        },
        "tasks": [
            {
                "alias": alias,
                "state": "running",
                **task,
                "seconds": 0.05,
                "where": "worker-0 ×50, worker-1 ×50",
            }
            for alias in ("worker", "aggregator", "scheduler")
        ],
        "nodes": {
            str(index): [
                "running",
                "worker",
                (done + index) % 10 / 10,
                50.0,
                10**8,
                0.05,
                1000,
                1000 * done,
                4096,
                "",
                "worker-0",
            ]
            for index in range(nodes)
        },
        "globals": [
            {
                "tag": "model",
                "iteration": done - 1,
                "type": "float32 (64, 784)",
                "nbytes": 200_704,
                "version": done,
                "preview": "…",
            }
        ],
        "results": [
            {
                "tag": "update",
                "iteration": done - 1,
                "nodes": list(range(nodes)),
                "nbytes": 1000 * nodes,
                "type": "float32 (64, 784)",
            }
        ],
    }
