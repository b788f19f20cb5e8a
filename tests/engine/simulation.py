"""A cluster made of dicts, on which everything may happen in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random

from manta_nb.engine.events import (
    BatchFinished,
    BatchLost,
    IterationCommitted,
    PatienceOver,
    RunEvent,
    RunStarted,
)
from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.instructions import (
    CommitIteration,
    DropSegments,
    FinishRun,
    Instruction,
    ReleaseNodes,
    RunTask,
    SetTimer,
)
from manta_nb.engine.records import (
    Batch,
    Failure,
    NodeInfo,
    Quorum,
    RunPlan,
    Segment,
    ValueRef,
    state_version,
)
from manta_nb.engine.run_state import RunState

__all__ = ["LOST", "Cluster", "play_calmly", "play_with"]

LOST = Failure("", "lost", "the worker process was killed")


def digest(*parts: object) -> str:
    """A value that depends on all it was made from."""
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


class Cluster:
    """Runs one `RunState`: computes what deterministic tasks would write, checks what the engine says.

    A task reads the results of its inputs, what its own nodes wrote last time and the Globals of tasks before
    it. What it writes is a digest of all that, so a single wrong read changes every later value.

    `quorums` is what every node of a task says when it is done. The clock is the test's: timers are kept.
    """

    def __init__(
        self,
        plan: RunPlan,
        nodes: Sequence[NodeInfo],
        random: Random,
        quorums: Mapping[str, Quorum] | None = None,
    ) -> None:
        self.quorums = dict(quorums or {})
        self.timers: list[RunEvent] = []
        #: (iteration, alias) → nodes that were released
        self.left: dict[tuple[int, str], set[str]] = {}
        self.state = RunState(plan, nodes)
        self.graph = TaskGraph(plan.tasks)
        self.random = random
        self.nodes = nodes
        self.todo: list[tuple[RunTask, tuple[str, ...]]] = []
        self.results: dict[str, dict[str, str]] = {}
        self.globals: dict[str, dict[str, str]] = {}
        self.node_states: dict[tuple[str, str], str] = {}
        self.commits: list[CommitIteration] = []
        self.unconfirmed: list[int] = []
        self.dead: set[str] = set()
        self.dropped: set[str] = set()
        self.abandoned: list[tuple[RunTask, tuple[str, ...]]] = []
        self.reports: list[BatchFinished] = []
        self.dispatched: Counter[tuple[int, str, int, str]] = Counter()
        self.finish: FinishRun | None = None

    def resume(self, plan: RunPlan) -> None:
        """Go on after the end, from what was committed; a dispatcher lets no report of before through."""
        self.state = RunState.resumed(plan, self.nodes, self.state.committed.checkpoint)
        self.finish, self.todo, self.abandoned, self.reports = None, [], [], []
        self.dispatched.clear()
        self.post(RunStarted())

    def post(self, event: RunEvent) -> None:
        """Tell the engine, check it, and take its instructions."""
        instructions = self.state.handle(event)
        self.state.validate()
        for instruction in instructions:
            self._take(instruction)

    def _take(self, instruction: Instruction) -> None:
        assert self.finish is None, "something was asked for after the end"
        match instruction:
            case RunTask():
                slots = [
                    (instruction.iteration, instruction.alias, instruction.attempt, n)
                    for n in instruction.node_ids
                ]
                self.dispatched.update(slots)
                left = self.left.get((instruction.iteration, instruction.alias), set())
                assert left.isdisjoint(instruction.node_ids), "a node that was left out runs again"
                assert all(self.dispatched[slot] == 1 for slot in slots), "one turn was dispatched twice"
                assert not self.dropped & self.needed(instruction), "a task may read what was freed"
                self.todo.append((instruction, instruction.node_ids))
            case CommitIteration():
                assert instruction.iteration == len(self.commits), "iterations do not follow one another"
                self._check_left(instruction)
                self.commits.append(instruction)
                self.unconfirmed.append(instruction.iteration)
            case SetTimer(seconds, later):
                assert seconds >= 0
                self.timers.append(later)
            case ReleaseNodes():
                self._release(instruction)
            case DropSegments(keys):
                self.dropped.update(keys)
            case FinishRun():
                assert not self.unconfirmed, "the end did not wait for the store"
                self.finish = instruction

    def _release(self, release: ReleaseNodes) -> None:
        """What they would have done may still come, too late."""
        gone = set(release.node_ids)
        slot = (release.iteration, release.alias)
        assert gone.isdisjoint(self.left.setdefault(slot, set())), "a node was left out twice"
        self.left[slot] |= gone
        todo, self.todo = self.todo, []
        for run, nodes in todo:
            here = tuple(node for node in nodes if (run.iteration, run.alias) == slot and node in gone)
            rest = tuple(node for node in nodes if node not in here)
            self.abandoned += [(run, here)] if here else []
            self.todo += [(run, rest)] if rest else []

    def _check_left(self, commit: CommitIteration) -> None:
        """Nothing of a node that was left out counts, and enough others do."""
        for (number, alias), left in self.left.items():
            if left and number == commit.iteration:
                batches = commit.checkpoint.results.batches
                mine = [batch for batch in batches if (batch.iteration, batch.task) == (number, alias)]
                done = {node for batch in mine for node in batch.nodes}
                assert left.isdisjoint(done), "what a node wrote that was left out counts"
                assert len(done) >= self.quorums[alias].nodes, "it went on with too few"

    def needed(self, run: RunTask) -> set[str]:
        """The segments a task may read."""
        batches = [batch.segment.key for batch in run.results.batches if batch.segment is not None]
        return {ref.segment.key for ref in run.globals.values()} | set(batches)

    def work(self, run: RunTask, nodes: Sequence[str], failures: tuple[Failure, ...] = ()) -> RunEvent:
        """What a machine would report: what its nodes wrote, or that something they need is gone."""
        if missing := self.needed(run) & self.dead:
            names = (*nodes, *(failure.node_id for failure in failures))
            return BatchLost(run.alias, run.iteration, run.attempt, names, LOST, tuple(sorted(missing)))
        key = digest(run.iteration, run.alias, run.attempt, nodes, len(self.results))
        segment = Segment(key, "w0", 1)
        alone = not self.graph.beside[run.alias]
        written = {node: self._value(run, node, alone) for node in nodes}
        self.results[key] = written
        globals_: dict[str, tuple[str, ValueRef]] = {}
        task = self.graph.tasks[run.alias]
        if nodes and task.method == "any" and task.maximum in (None, 1):
            tags = [f"g-{run.alias}", *(["shared"] if alone else [])]
            globals_ = {tag: (nodes[0], ValueRef(segment, 0, 1)) for tag in tags}
            self.globals[key] = dict.fromkeys(tags, written[nodes[0]])
        if alone:
            version = state_version(run.iteration, run.alias, run.attempt)
            self.node_states.update({(node, version): value for node, value in written.items()})
        batch = Batch(
            run.iteration,
            run.alias,
            run.attempt,
            "w0",
            tuple(nodes),
            failures,
            segment,
            result_bytes={run.alias: len(nodes)} if nodes else {},
            globals=globals_,
            quorum=self.quorums.get(run.alias) if nodes else None,
            stateful=tuple(nodes) if alone else (),
            bytes_out={node: int(value[0], 16) for node, value in written.items()},
        )
        report = BatchFinished(batch)
        self.reports.append(report)
        return report

    def _value(self, run: RunTask, node: str, alone: bool) -> str:
        before = sorted(self.graph.ancestors[run.alias])
        results = [self._select(run, alias) for alias in (*self.graph.tasks[run.alias].inputs, run.alias)]
        tags = [f"g-{alias}" for alias in before] + (["shared"] if alone else [])
        refs = [(tag, run.globals.get(tag)) for tag in tags]
        values = [(tag, ref and self.globals[ref.segment.key][tag]) for tag, ref in refs]
        state = self.node_states[(node, run.states[node])] if alone and node in run.states else None
        return digest(run.iteration, run.alias, node, results, values, state)

    def _select(self, run: RunTask, tag: str) -> list[tuple[str, str]]:
        batches = [batch for batch in run.results.batches if tag in batch.result_bytes and batch.segment]
        latest = max((batch.iteration for batch in batches), default=None)
        found: dict[str, str] = {}
        for batch in batches:
            if batch.iteration == latest and batch.segment is not None:
                found.update({node: self.results[batch.segment.key][node] for node in batch.nodes})
        return sorted(found.items())

    def committed_values(self) -> list[dict[str, str]]:
        """The Globals after each iteration, as values."""
        return [
            {tag: self.globals[ref.segment.key][tag] for tag, ref in sorted(commit.globals.items())}
            for commit in self.commits
        ]

    def alive_segments(self) -> list[str]:
        """Segments of the running iteration that hold something that counts."""
        iteration = self.state.iteration
        return sorted(iteration.segment_keys() - self.dead) if iteration else []


def play_with(wild: Cluster, plan: RunPlan, nodes: Sequence[NodeInfo]) -> Cluster:
    """Run to the end with nothing going wrong, without the turns that a `wild` run went on without."""
    cluster = Cluster(plan, nodes, Random(0), wild.quorums)
    cluster.post(RunStarted())
    while cluster.finish is None:
        while cluster.unconfirmed:
            cluster.post(IterationCommitted(cluster.unconfirmed.pop(0)))
        for run, names in list(cluster.todo):
            left = wild.left.get((run.iteration, run.alias), set())
            if work := tuple(node for node in names if node not in left):
                cluster.todo.remove((run, names))
                cluster.todo += [(run, rest)] if (rest := tuple(n for n in names if n in left)) else []
                cluster.post(cluster.work(run, work))
                break
        else:
            timers, cluster.timers = cluster.timers, []
            assert timers or cluster.unconfirmed or cluster.finish, "it waits for nothing"
            for timer in timers:
                if isinstance(timer, PatienceOver):
                    cluster.post(timer)
    return cluster


def play_calmly(plan: RunPlan, nodes: Sequence[NodeInfo]) -> Cluster:
    """Run to the end with nothing going wrong, one task after the other."""
    cluster = Cluster(plan, nodes, Random(0))
    cluster.post(RunStarted())
    while cluster.todo or cluster.unconfirmed:
        while cluster.unconfirmed:
            cluster.post(IterationCommitted(cluster.unconfirmed.pop(0)))
        if cluster.todo:
            cluster.post(cluster.work(*cluster.todo.pop(0)))
    return cluster
