"""The play of somebody who means harm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from manta_nb.engine.records import Event, Failure
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook
from tests.monitor.training import MakeRecorder, Records

__all__ = ["hostile"]

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = '<img src=x onerror="window.pwned=1">'
BIDI = "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c\ufeff"
ODD = "\x00\x07\x1b[31mred\x1b[0m\u2028\u2029\ud800\U0001f9ea\U000e0001"


def hostile(make: MakeRecorder) -> Records:
    """Every text that a stranger may write, written by one who means harm."""
    nodes = [f"{SCRIPT}_0", f"{IMAGE}_1", f"{BIDI}_2", "n" * 5_000, "__proto__", f"{ODD}_5"]
    tasks = ["worker", "constructor", "toString"]
    stage = Stage(
        nodes,
        {
            IMAGE: SCRIPT,
            BIDI: 1.5,
            "__proto__": {"constructor": IMAGE, SCRIPT: np.zeros(3)},
            "t" * 5_000: b"<b>x</b>",
        },
        tasks=tasks,
        iterations=3,
        name=f"{IMAGE}{BIDI}",
    )
    look = StagedLook(nodes)
    recorder = make(stage, look)
    recorder.full(0.0)
    stage.start()
    for iteration in range(2):
        task, at = stage.task, float(iteration)
        metrics = [SCRIPT, f"{BIDI}loss", "m" * 5_000, "__proto__", "hasOwnProperty"]
        lines: list[tuple[Any, ...]] = []
        for index in range(len(nodes)):
            values = [0.5, math.nan, math.inf, -math.inf, 1e308 * (1 - 2 * (index % 2))]
            lines += [("m", index, name, value, None) for name, value in zip(metrics, values, strict=True)]
            texts = [SCRIPT, IMAGE, BIDI, ODD, "x" * 20_000, "a\nb\r\n<b>c", "javascript:alert(1)"]
            lines += [
                ("l", index, level, text)
                for text, level in zip(
                    texts, ["stdout", SCRIPT, BIDI, "INFO", "stderr", "ERROR", "DEBUG"], strict=True
                )
            ]
        stage.say(task, *lines)
        recorder.delta(at + 0.2)
        results = {
            IMAGE: dict(
                zip(nodes, [np.full(3, math.nan), *(np.arange(3.0) * i for i in range(5))], strict=True)
            ),
            "__proto__": dict.fromkeys(nodes, SCRIPT),
        }
        stage.done(task, results=results)
        stage.run.events.extend(
            [
                Event(iteration, SCRIPT, f"{IMAGE} {BIDI} {ODD}", nodes[1], tasks[0]),
                Event(iteration, "nan", "y" * 20_000, nodes[3], ""),
            ]
        )
        stage.done(stage.task, globals={IMAGE: f"{SCRIPT}{iteration}", "__proto__": {"constructor": BIDI}})
        stage.done(stage.task)
        recorder.delta(at + 0.7)
    for _ in range(2):
        failure = Failure(
            nodes[1],
            "error",
            f"ValueError: {SCRIPT}{BIDI}{'z' * 5_000}",
            f"{IMAGE}, line 1",
            f"Traceback\n{SCRIPT * 2_000}",
            (IMAGE, BIDI, "o" * 5_000),
        )
        task = stage.task
        stage.done(task, [node for node in task.node_ids if node != nodes[1]], failures=[failure])
        recorder.delta(2.5)
    recorder.rest(3.0)
    return recorder.records
