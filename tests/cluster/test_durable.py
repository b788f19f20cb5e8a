"""Runs outlive their kernel: killed anywhere, they go on from the last committed iteration, to the same numbers."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from manta_nb import Run, RunFailed, Session
from manta_nb.errors import StoreError, UsageError
from manta_nb.session.reopening import reopen, resume_stored
from manta_nb.store.opening import open_store
from tests.cluster.parts import Gate, module, same, waiting
from tests.cluster.test_resuming import learning_swarm, values
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

ITERATIONS = 5
FILES = {
    "swarm.py": '''
import numpy as np
from manta.module import Module
from manta.swarm import Swarm


class Learning(Swarm):
    """Uses what an iteration hands to the next: Globals, results, the state of nodes, the schedule."""

    def __init__(self):
        super().__init__()
        self.worker = Module("worker.py", method="all")
        self.aggregator = Module("aggregator.py")
        self.set_global("at", np.zeros(50))

    def execute(self):
        return self.aggregator(self.worker())
''',
    "worker.py": """
import random

import numpy as np
from manta_light.task import Task


class Worker(Task):
    def run(self):
        x = self.local.get_numpy_data("d")["x"]
        seen = self.local.state["seen"] = self.local.state.get("seen", 0) + 1
        at = self.world.globals["at"]
        moved = at + 0.1 * (x - at) + 0.01 * np.random.randn(*at.shape)
        self.world.metric("loss", float(np.abs(x - moved).mean()) + seen)
        self.world.metric("luck", random.random())
        self.world.results.add("moved", moved)
""",
    "aggregator.py": """
from manta_light.task import Task


class Aggregator(Task):
    def run(self):
        moved = self.world.results.select("moved")
        self.world.globals["at"] = sum(moved.values()) / len(moved)
        if self.world.iteration:
            before = self.world.results.select("moved", iteration=self.world.iteration - 1)
            self.world.globals["before"] = sum(before.values())
        if self.world.iteration % 2:
            self.world.schedule_next_iter(sorted(moved)[:2], "worker")
""",
}


class Command:
    """`manta-nb` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._env = {key: value for key, value in os.environ.items() if key != "MANTA_HOME"}

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start it, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "manta_nb", *words],
            cwd=self.folder,
            env=self._env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *words: str, **env: str) -> Any:
        """Run it to its end; its JSON."""
        out, err = self.start(*words, "--json", **env).communicate(timeout=90)
        assert out, err
        return json.loads(out)

    def run(self, **env: str) -> subprocess.Popen[str]:
        """Start the run of this file."""
        words = [
            "run",
            "swarm.py",
            "--data",
            "data",
            "--iterations",
            str(ITERATIONS),
            "--seed",
            "7",
            "--json",
        ]
        return self.start(*words, **env)

    def left(self, run_id: str) -> tuple[dict[str, Any], list[str]]:
        """The Globals and the metrics of a run, as they are exported."""
        words = ["runs", "export", run_id, "--globals", "g.npz", "--metrics", "m.csv"]
        done = subprocess.run(
            [sys.executable, "-m", "manta_nb", *words],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with np.load(self.folder / "g.npz") as stored:
            globals_ = {name: stored[name] for name in stored}
        return globals_, sorted((self.folder / "m.csv").read_text().splitlines())


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A swarm as files, with data of three nodes."""
    folder = tmp_path_factory.mktemp("durable")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for number, node in enumerate("abc"):
        (folder / "data" / node).mkdir(parents=True)
        np.savez(folder / "data" / node / "d.npz", x=np.random.default_rng(number).random(50))
    return Command(folder)


@pytest.fixture(scope="module")
def undisturbed(command: Command) -> tuple[dict[str, Any], list[str]]:
    """What a run leaves that nothing disturbed."""
    process = command.run()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    return command.left(json.loads(out)["run_id"])


def died(process: subprocess.Popen[str]) -> None:
    """It has killed itself, at a failpoint."""
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def killed(process: subprocess.Popen[str]) -> None:
    """Kill it; nothing it started is left after two seconds."""
    children: list[psutil.Process] = []
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    _, alive = psutil.wait_procs(children, timeout=2)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def check_same(command: Command, run_id: str, undisturbed: tuple[dict[str, Any], list[str]]) -> None:
    """Bit for bit the same Globals and metrics."""
    globals_, metrics = command.left(run_id)
    assert globals_.keys() == undisturbed[0].keys()
    for name, array in undisturbed[0].items():
        np.testing.assert_array_equal(globals_[name], array)
    assert metrics == undisturbed[1]


@pytest.mark.parametrize(
    ("place", "committed"), [("before_commit:3", 2), ("during_commit:3", 2), ("after_commit:3", 3)]
)
def test_a_kernel_killed_in_a_commit_is_gone_on_from(
    command: Command, undisturbed: tuple[dict[str, Any], list[str]], place: str, committed: int
) -> None:
    """Nothing of a committed iteration is missing, nothing is done twice, and the numbers are the same."""
    known = {run["run_id"] for run in command("runs", "list")}
    died(command.run(MANTA_FAIL_AT=place))
    [run] = [run for run in command("runs", "list") if run["run_id"] not in known]

    done = command("runs", "resume", run["run_id"])

    assert (run["status"], run["iterations"]) == ("interrupted", committed)
    assert (done["run_id"], done["status"], done["iterations"]) == (run["run_id"], "completed", ITERATIONS)
    check_same(command, run["run_id"], undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_kernel_killed_again_and_again_comes_to_the_same_end(
    command: Command, undisturbed: tuple[dict[str, Any], list[str]], seed: int
) -> None:
    """At random moments of the run and of its resumptions; `benchmarks.kills` does it fifty times."""
    chance = random.Random(seed)
    known = {run["run_id"] for run in command("runs", "list")}
    process, run_id = command.run(), ""
    for _ in range(2):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(1.5, 4.0))
        killed(process)
        found = [run for run in command("runs", "list") if run["run_id"] not in known]
        run_id = found[0]["run_id"] if found else ""
        if found and found[0]["status"] == "completed":
            break
        process = command.start("runs", "resume", run_id, "--json") if run_id else command.run()
    else:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
        run_id = json.loads(out)["run_id"]

    check_same(command, run_id, undisturbed)


def test_code_that_has_changed_is_told_and_asked_for(command: Command) -> None:
    """Resume refuses until it is told which; the stored code gives the numbers of the run."""
    file = command.folder / "worker.py"
    died(command.run(MANTA_FAIL_AT="after_commit:2"))
    run_id = command("runs", "list")[-1]["run_id"]
    before = file.read_text()
    file.write_text(before.replace("0.1 *", "0.2 *"))
    try:
        refused = command.start("runs", "resume", run_id)
        _, said = refused.communicate(timeout=60)
        stored = command("runs", "resume", run_id, "--code", "stored")
    finally:
        file.write_text(before)

    assert refused.returncode == 2
    assert "the code of worker has changed" in said
    assert "--code stored" in said and "--code current" in said
    assert stored["status"] == "completed"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Session]:
    """Three nodes whose runs are kept in a folder."""
    with Session(nodes=3, store=tmp_path / "kept") as session:
        yield session


def test_a_finished_run_is_opened_without_nodes(kept: Session) -> None:
    """Metrics, Globals, Results, lines, events, graph and plots, as they were."""
    run = kept.run(learning_swarm(), iterations=4, seed=1).wait(60)
    kept.close()

    with_store = open_store(kept.store.where)
    past = reopen(with_store, run.run_id)

    assert (past.status, past.reason, past.iteration) == (run.status, run.reason, 4)
    assert past.metrics.rows() == run.metrics.rows()
    assert list(past.logs) == list(run.logs)
    assert list(past.events) == list(run.events)
    assert same(values(past), values(run))
    assert same(past.results.select("turns"), run.results.select("turns"))
    assert str(past.nodes) == str(run.nodes)
    assert str(past) == str(run)
    assert past.plot("norm") is not None
    assert repr(past.graph) == repr(run.graph)
    with_store.close()


def test_two_kernels_cannot_have_one_run(kept: Session, tmp_path: Path) -> None:
    """The second is told who has it; afterwards the first is told that the other went on."""
    gate = Gate(tmp_path)
    run = kept.run(module(gate.wait + "world.results.add('x', 1.0)", "worker"), iterations=2, seed=0)
    until(lambda: waiting(run), 20)
    with Session(nodes=3, store=tmp_path / "kept") as other:
        past = reopen(other.store, run.run_id)
        with pytest.raises((StoreError, UsageError)) as refused:
            past.resume(session=other)
        gate.open()
        run.wait(30)
        reopen(other.store, run.run_id).resume(iterations=4, session=other).wait(60)
    with pytest.raises(UsageError, match="another kernel went on with it"):
        run.resume(iterations=5)

    assert f"pid {os.getpid()}" in str(refused.value)


def test_a_run_of_another_kernel_is_stopped_through_the_store(kept: Session, tmp_path: Path) -> None:
    """Whoever sees the store can ask; it acts within two seconds."""
    gate = Gate(tmp_path)
    run = kept.run(module(gate.wait, "worker"), iterations=2, seed=0)
    until(lambda: waiting(run), 20)
    elsewhere = open_store(tmp_path / "kept")

    reopen(elsewhere, run.run_id).stop("enough, from elsewhere")
    until(lambda: run.finished, 2)

    assert (run.status, run.reason) == ("stopped", "enough, from elsewhere")
    elsewhere.close()


def test_a_flood_of_metrics_is_kept(kept: Session) -> None:
    """Ten thousand numbers of each node, as fast as they come: all are on disk, in order, NaN among them."""
    flood = module(
        "for i in range(10_000): world.metric('i', float('nan') if i == 7 else i, step=i)", "flood"
    )
    run = kept.run(flood, iterations=1, seed=0).wait(90)

    rows = reopen(kept.store, run.run_id).metrics.rows()

    assert len(rows) == 30_000
    assert [str(row) for row in rows] == [str(row) for row in run.metrics.rows()]


def test_a_fork_goes_on_from_an_iteration_with_something_changed(kept: Session) -> None:
    """As the run itself would have gone on, but for what was changed; with nothing changed, exactly so."""
    run = kept.run(learning_swarm(), iterations=6, seed=1).wait(60)

    same_again = run.fork(iteration=2).wait(60)
    other = run.fork(iteration=2, globals={"lr": 5.0}, name="other").wait(60)

    assert same(values(same_again), values(run))
    assert same_again.parent == (run.run_id, 2)
    assert (other.name, other.iteration, other.globals["lr"]) == ("other", 6, 5.0)
    assert not np.array_equal(other.globals["at"], run.globals["at"])
    assert min(row.iteration for row in other.metrics.rows()) == 3
    assert run.held() == list(range(6))


def test_a_fork_needs_an_iteration_and_globals_that_there_are(kept: Session) -> None:
    """One line each, and nothing begins."""
    run = kept.run(learning_swarm(), iterations=2, seed=1).wait(60)
    count = len(kept.runs)

    for mistake, says in (
        ({"iteration": 2}, "there are 0 to 1"),
        ({"iteration": -1}, "no committed iteration -1"),
        ({"iteration": 0, "globals": {"lrr": 1}}, "did you mean 'lr'"),
        ({}, "iterations=12"),
    ):
        with pytest.raises(Exception, match=says):
            run.fork(**mistake)  # type: ignore[arg-type]

    assert len(kept.runs) == count


def test_a_repeated_run_is_the_same_one(kept: Session) -> None:
    """Same code, first Globals and seed, from the store alone."""
    run = kept.run(learning_swarm(), iterations=3, seed=4).wait(60)

    again = reopen(kept.store, run.run_id).repeat(session=kept).wait(60)

    assert same(values(again), values(run))
    assert again.run_id != run.run_id
    assert again.parent == (run.run_id, None)


def test_a_disk_that_is_full_ends_the_run_with_nothing_lost(
    kept: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed, saying why; when there is room again it goes on in the same kernel, and all of it is on disk."""
    full = threading.Event()
    commit = kept.store.commit

    def maybe(*given: Any) -> None:
        if full.is_set():
            raise StoreError("the disk is full: make room")
        commit(*given)

    monkeypatch.setattr(kept.store, "commit", maybe)
    run = kept.run(learning_swarm(), iterations=200, seed=1)
    until(lambda: run.iteration >= 2, 20)
    full.set()
    with pytest.raises(RunFailed, match="not saved: the disk is full"):
        run.wait(30)
    reached = run.iteration
    full.clear()
    run.resume(iterations=reached + 2).wait(60)
    calm = kept.run(learning_swarm(), iterations=reached + 2, seed=1).wait(60)

    assert same(values(run), values(calm))
    assert len(reopen(kept.store, run.run_id).metrics.rows()) == len(calm.metrics.rows())


def test_nodes_that_are_others_are_refused(kept: Session) -> None:
    """A run does not go on with nodes whose names it does not know."""
    run: Run = kept.run(learning_swarm(), iterations=1, seed=1).wait(60)
    with (
        Session(nodes=["x", "y"], store=kept.store) as other,
        pytest.raises(UsageError, match="no node_0 here"),
    ):
        reopen(kept.store, run.run_id).resume(iterations=2, session=other)


def test_a_stored_run_starts_nodes_like_those_it_had(kept: Session) -> None:
    """Nothing has to be given but the store."""
    run = kept.run(learning_swarm(), iterations=2, seed=1).wait(60)
    told: list[str] = []

    session, again = resume_stored(kept.store, run.run_id, iterations=4, code=None, say=told.append)
    with session:
        again.wait(60)
    calm = kept.run(learning_swarm(), iterations=4, seed=1).wait(60)

    assert same(values(again), values(calm))
    assert any("3 nodes" in line for line in told)


def test_a_kernel_killed_while_its_nodes_start_leaves_nothing(command: Command) -> None:
    """Torch takes seconds to import; who imports it looks meanwhile whether anybody still wants it."""
    process = command.run()
    until(lambda: psutil.Process(process.pid).children(recursive=True), 30)

    killed(process)
