"""Everything that may happen to a run, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from manta_nb.engine.events import (
    BatchLost,
    DeadlineOver,
    IterationCommitted,
    IterationSkipped,
    NodesJoined,
    NodesLost,
    RunStarted,
    SegmentsLost,
    StopRequested,
)
from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Failure, NodeInfo, Quorum, RunPlan
from tests.engine.simulation import LOST, Cluster

__all__ = ["Chaos", "go_on_wildly", "play_wildly"]


@dataclass
class Chaos:
    """How many bad things may still happen, so that a run with `retries=2` always gets through."""

    failures: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    losses: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    kills: Counter[int] = field(default_factory=Counter)

    def may(self, budget: Counter[Any], keys: Sequence[Any]) -> bool:
        """Whether each of these may be hit once more, which is counted."""
        if any(budget[key] >= 2 for key in keys):
            return False
        budget.update(keys)
        return True


def play_wildly(
    plan: RunPlan,
    nodes: Sequence[NodeInfo],
    random: Random,
    stop_after: int | None = None,
    quorums: Mapping[str, Quorum] | None = None,
    kills: bool = True,
) -> Cluster:
    """Run to the end while reports come in any order, in pieces and twice, turns fail and machines die.

    After `stop_after` of these things a person stops it. Timers of tasks with `quorums` end at any time; without
    `kills` no value is lost.
    """
    cluster = Cluster(plan, nodes, random, quorums)
    cluster.post(RunStarted())
    go_on_wildly(cluster, stop_after, kills)
    return cluster


def go_on_wildly(cluster: Cluster, stop_after: int | None = None, kills: bool = True) -> None:
    """From wherever the run is."""
    moves = [_work, _work, _work, _confirm, _fail, _lose, _repeat, _come_late, _flicker, _ring]
    moves += [_kill] if kills else []
    chaos, random, left = Chaos(), cluster.random, stop_after
    while cluster.finish is None:
        if left == 0:
            cluster.post(StopRequested(now=random.random() < 0.7))
        left = None if left is None else left - 1
        if cluster.finish is not None:
            return
        assert cluster.todo or cluster.unconfirmed, "nothing is under way and the run is not over"
        random.choice(moves)(cluster, chaos)


def _piece(cluster: Cluster) -> tuple[RunTask, tuple[str, ...]] | None:
    """Take a dispatch, or some nodes of it."""
    if not cluster.todo:
        return None
    run, nodes = cluster.todo.pop(cluster.random.randrange(len(cluster.todo)))
    cut = cluster.random.randint(1, len(nodes))
    if cut < len(nodes):
        cluster.todo.append((run, nodes[cut:]))
    return run, nodes[:cut]


def _slots(run: RunTask, nodes: Sequence[str]) -> list[tuple[int, str, str]]:
    return [(run.iteration, run.alias, node) for node in nodes]


def _work(cluster: Cluster, _: Chaos) -> None:
    if piece := _piece(cluster):
        cluster.post(cluster.work(*piece))


def _confirm(cluster: Cluster, _: Chaos) -> None:
    if cluster.unconfirmed:
        # a store passes over what it is too slow for, but never over the latest
        late = len(cluster.unconfirmed) > 1 and cluster.random.random() < 0.5
        number = cluster.unconfirmed.pop(0)
        cluster.post(IterationSkipped(number) if late else IterationCommitted(number))


def _fail(cluster: Cluster, chaos: Chaos) -> None:
    if piece := _piece(cluster):
        run, nodes = piece
        bad = nodes[: cluster.random.randint(1, len(nodes))]
        if chaos.may(chaos.failures, _slots(run, bad)):
            failures = tuple(Failure(node, "error", "ValueError: no") for node in bad)
            cluster.post(cluster.work(run, nodes[len(bad) :], failures))
        else:
            cluster.todo.append(piece)


def _lose(cluster: Cluster, chaos: Chaos) -> None:
    if piece := _piece(cluster):
        run, nodes = piece
        if chaos.may(chaos.losses, _slots(run, nodes)):
            cluster.abandoned.append(piece)
            cluster.post(BatchLost(run.alias, run.iteration, run.attempt, nodes, LOST))
        else:
            cluster.todo.append(piece)


def _kill(cluster: Cluster, chaos: Chaos) -> None:
    """A holder dies; the engine is told at once, or finds out when a task asks for the value."""
    alive = cluster.alive_segments()
    number = cluster.state.iteration.number if cluster.state.iteration else 0
    if alive and chaos.may(chaos.kills, [number]):
        key = cluster.random.choice(alive)
        if cluster.random.random() < 0.5 or not cluster.todo:
            cluster.dead.add(key)
            cluster.post(SegmentsLost((key,), "killed"))
        elif any(key in cluster.needed(run) for run, _ in cluster.todo):
            cluster.dead.add(key)


def _repeat(cluster: Cluster, _: Chaos) -> None:
    if cluster.reports:
        cluster.post(cluster.random.choice(cluster.reports))


def _come_late(cluster: Cluster, _: Chaos) -> None:
    if cluster.abandoned:
        run, nodes = cluster.abandoned.pop()
        if not cluster.needed(run) & cluster.dropped:
            cluster.post(cluster.work(run, nodes))


def _flicker(cluster: Cluster, _: Chaos) -> None:
    node = cluster.random.choice(list(cluster.nodes))
    cluster.post(NodesLost((node.node_id,), "killed"))
    if cluster.random.random() < 0.5:
        cluster.post(NodesJoined((node,)))


def _ring(cluster: Cluster, _: Chaos) -> None:
    """A timer ends: the clock may have gone as fast as it likes, and a stale one changes nothing."""
    if cluster.timers:
        number = cluster.random.randrange(len(cluster.timers))
        # a deadline ends most runs: it is there, but seldom
        if not isinstance(cluster.timers[number], DeadlineOver) or cluster.random.random() < 0.05:
            timer = cluster.timers[number]
            if cluster.random.random() < 0.8:
                del cluster.timers[number]
            cluster.post(timer)
