"""Plays of a few nodes: nothing yet, in the middle, failed, interrupted, and a whole run with losses."""

from __future__ import annotations

from collections.abc import Callable

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Failure
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook
from tests.monitor.training import MakeRecorder, Records, Training, iterate, model, names, start_globals

__all__ = ["eight", "empty", "failed", "interrupted", "running"]


def empty(make: MakeRecorder) -> Records:
    """A run that waits for its first task: nothing has happened yet."""
    stage = Stage(names(4), {"model": model()})
    recorder = make(stage, StagedLook(stage.nodes))
    recorder.full(0.0)
    stage.start()
    recorder.delta(0.2)
    return recorder.records


def running(make: MakeRecorder) -> Records:
    """Eight nodes in the middle of iteration 6 of 20; somebody opens the monitor in iteration 2."""
    stage = Stage(names(8), start_globals())
    look = StagedLook(stage.nodes)
    recorder, training = make(stage, look), Training(stage)
    stage.start()
    for iteration in range(6):
        at = 1.2 * iteration
        if iteration == 2:
            recorder.full(at)
        iterate(
            stage, training, look, recorder.delta if iteration >= 2 else lambda at: recorder.background(), at
        )
    training.measure(stage.task)
    stage.done(stage.task, stage.nodes[:5], seconds=training.seconds)
    recorder.delta(7.9)
    return recorder.records


def failed(make: MakeRecorder) -> Records:
    """Node 3 raises in iteration 2, is tried again, and raises again: the run fails."""
    stage = Stage(names(4), start_globals())
    look = StagedLook(stage.nodes)
    recorder, training = make(stage, look), Training(stage)
    recorder.full(0.0)
    stage.start()
    for iteration in range(2):
        iterate(stage, training, look, recorder.delta, 1.2 * iteration)
    trace = (
        "Traceback (most recent call last):\n"
        '  File "Cell In[3]", line 12, in run\n    self.train(x, y)\n'
        '  File "Cell In[3]", line 27, in train\n    loss = self.loss(model(x), y)\n'
        "ValueError: Expected input batch_size (32) to match target batch_size (31).\n"
    )
    for attempt in range(2):
        task = stage.task
        training.measure(task)
        failure = Failure(
            "node_3",
            "error",
            "ValueError: Expected input batch_size (32) to match target batch_size (31).",
            "Cell In[3], line 27",
            trace,
            ("loading 160 samples", "epoch 1 of 1", "batch 5: 31 samples"),
        )
        stage.say(task, ("l", task.node_ids.index("node_3"), "stderr", "batch 5: 31 samples"))
        stage.done(
            task,
            [node for node in task.node_ids if node != "node_3"],
            failures=[failure],
            seconds=training.seconds,
        )
        recorder.delta(2.9 + 0.6 * attempt)
    recorder.rest(3.6)
    return recorder.records


def interrupted(make: MakeRecorder) -> Records:
    """A run whose kernel ended in iteration 4; its store says so."""
    stage = Stage(names(4), start_globals())
    look = StagedLook(stage.nodes)
    recorder, training = make(stage, look), Training(stage)
    stage.start()
    for iteration in range(4):
        iterate(stage, training, look, lambda at: recorder.background(), 1.2 * iteration)
    training.measure(stage.task)
    stage.finish("interrupted", "the kernel ended in iteration 4; resume() goes on")
    recorder.full(5.3)
    recorder.rest(5.3)
    return recorder.records


def eight(make: MakeRecorder) -> Records:
    """Eight nodes, twenty iterations, three metrics; a worker is killed twice, one turn fails and is done again."""
    stage = Stage(names(8), start_globals())
    look = StagedLook(stage.nodes)
    recorder, training = make(stage, look), Training(stage)
    recorder.full(0.0)
    stage.start()
    for iteration in range(20):
        at = 1.3 * iteration
        if iteration in (5, 13):
            task, lost = stage.task, ["node_5"]
            stage.say(task, *(("m", i, "loss", 0.5, 0) for i in range(8)))
            recorder.delta(at + 0.1)
            stage.lose(task, lost)
            recorder.delta(at + 0.2)
            training.measure(stage.task, steps=4)
            stage.done(
                stage.task,
                results={"params": training.updates(("node_5",), iteration), "samples": {"node_5": 175}},
                seconds=training.seconds,
            )
            _rest(stage, training, task, lost, recorder.delta, at)
        elif iteration == 9:
            task = stage.task
            training.measure(task)
            failure = Failure(
                "node_1", "error", "RuntimeError: NaN in the gradient", "Cell In[4], line 31", "", ("nan",)
            )
            good = [node for node in stage.nodes if node != "node_1"]
            made = training.updates(tuple(good), iteration)
            stage.done(
                task,
                good,
                results={"params": made, "samples": dict.fromkeys(good, 160)},
                failures=[failure],
                seconds=training.seconds,
            )
            recorder.delta(at + 0.4)
            _rest(stage, training, stage.task, good, recorder.delta, at)
        else:
            iterate(stage, training, look, recorder.delta, at)
    recorder.rest(26.5)
    return recorder.records


def _rest(
    stage: Stage,
    training: Training,
    task: RunTask,
    without: list[str],
    delta: Callable[[float], None],
    at: float,
) -> None:
    """The nodes that were not done, and the two other tasks."""
    left = [node for node in task.node_ids if node not in without]
    made = training.updates(tuple(left), task.iteration)
    training.measure(task)
    stage.done(
        task, left, results={"params": made, "samples": dict.fromkeys(left, 160)}, seconds=training.seconds
    )
    delta(at + 0.8)
    stage.done(stage.task, globals={"model": training.average(made)}, seconds=lambda node: 0.02)
    stage.done(stage.task, seconds=lambda node: 0.004)
    delta(at + 1.2)
