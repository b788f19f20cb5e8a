"""Packages on real nodes: rounds, data, environments, failures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from manta_nb import fedn
from manta_nb.errors import PackageError, UsageError
from manta_nb.fedn.outcome import as_json, model_of
from manta_nb.session.run import Run
from manta_nb.session.session import Session
from tests.fedn.packages import PACKAGES, client
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three nodes without data."""
    with Session(nodes=3, store=tmp_path_factory.mktemp("store")) as opened:
        yield opened


def quiet(line: str) -> None:
    """Says nothing."""


def go(session: Session, name: str, **options: Any) -> Run:
    """A run of one of the small packages, to its end; those that make no first model get one of zeros."""
    if name not in ("good", "init_seed"):
        options.setdefault("seed_model", PACKAGES / "zeros.npz")
    return fedn.run(client(name), session=session, say=quiet, **options).wait(100, check=False)


def test_updates_are_weighted_and_validated(session: Session) -> None:
    """Each node goes half the way to its own target; the mean is weighted by its examples; all validate each round."""
    environments = {
        "node_0": {"TARGET": "0", "EXAMPLES": "10"},
        "node_1": {"TARGET": "4", "EXAMPLES": "10"},
        "node_2": {"TARGET": "8", "EXAMPLES": "20"},
    }
    run = go(session, "good", rounds=2, node_env=environments)

    point, trained = model_of(run)
    # targets weighted: (0·10 + 4·10 + 8·20) / 40 = 5; half of it, then half of the rest
    assert np.allclose(point, 3.75) and point.dtype == np.float32
    assert trained == 2 and trained.dtype == np.int64 and trained.shape == ()
    assert run.status == "completed"
    validations = fedn.validations(run)
    assert [(row["round"], row["node"]) for row in validations] == [
        (number, f"node_{index}") for number in (1, 2) for index in range(3)
    ]
    assert validations[3]["metrics"]["error"] == pytest.approx(3.75)
    assert len(fedn.failures(run)) == 0


def test_output_and_times_are_kept(session: Session) -> None:
    """What programs print is in the logs, line by line; what their calls took is a metric."""
    run = go(session, "good", rounds=1)

    assert sorted(row.node for row in run.logs if row.text.startswith("Loss: ")) == [
        "node_0",
        "node_1",
        "node_2",
    ]
    assert {"train_seconds", "validate_seconds"} <= set(run.metrics.names())


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("exit", 3, "the scales are broken"),
        ("crash", -6, "killed by SIGABRT"),
        ("raise", 1, "no such column: 'âge'"),
        ("nometa", 0, "no metadata"),
        ("nomodel", 0, "no model"),
        ("noexamples", 0, "num_examples"),
        ("badmeta", 0, "not JSON"),
        ("shape", 0, "shape"),
        ("badmodel", 0, "model"),
    ],
)
def test_a_node_that_fails_is_named_and_not_waited_for(
    session: Session, how: str, code: int, words: str
) -> None:
    """The round is complete with the others; node, exit code and what it printed last are told."""
    run = go(session, "failing", rounds=1, node_env={"node_1": {"FAIL": how}})

    (failure,) = fedn.failures(run)
    assert run.status == "completed"
    assert (failure["round"], failure["node"], failure["exit_code"]) == (1, "node_1", code)
    assert words in failure["message"] + " ".join(failure["tail"])
    assert any("call 1, to fail by" in line for line in failure["tail"])
    assert any(event.kind == "failure" and event.node_id == "node_1" for event in run.events)
    assert {row["node"] for row in fedn.validations(run)} == {"node_0", "node_1", "node_2"}


def test_a_node_that_takes_too_long(session: Session) -> None:
    """With a time limit it has failed, its programs are gone, and the round is complete with the others."""
    run = go(session, "failing", rounds=1, timeout=5, node_env={"node_2": {"FAIL": "sleep"}})

    (failure,) = fedn.failures(run)
    assert (run.status, failure["node"], failure["exit_code"]) == ("completed", "node_2", None)


def test_too_few_updates_end_the_run(session: Session) -> None:
    """A round with fewer updates than `min_clients` has failed, and the run says who and why."""
    run = go(session, "failing", rounds=2, min_clients=3, node_env={"node_1": {"FAIL": "exit"}})

    assert run.status == "failed" and "node_1" in run.reason and "exit code 3" in run.reason
    assert as_json(run, None)["failures"][0]["tail"][-1] == "the scales are broken"


def test_state_of_a_node_stays_over_rounds(session: Session) -> None:
    """A file that a program writes in one round is there in the next one, and not on another node."""
    run = go(session, "stateful", rounds=3)

    assert run.status == "completed", run.error
    assert len(fedn.failures(run)) == 0


@pytest.mark.parametrize("name", ["with blanks", "init_seed"])
def test_packages_of_other_shapes(session: Session, name: str) -> None:
    """Names with blanks; a script without suffix that makes the first model by init_seed."""
    run = go(session, name, rounds=1)

    assert run.status == "completed", run.error
    assert len(fedn.failures(run)) == 0


def test_startup_comes_once(session: Session) -> None:
    """`startup` is called before the first round of a node, and not again."""
    run = go(session, "startup", rounds=2)

    assert run.status == "completed", run.error
    seconds = [row for row in run.metrics if row.name == "startup_seconds"]
    assert sorted(row.node for row in seconds) == ["node_0", "node_1", "node_2"]
    assert {row.iteration for row in seconds} == {0}


def test_server_functions_choose_and_set(session: Session) -> None:
    """They say which nodes train and with which settings, and remember from round to round."""
    text = (client("settings").parent / "server_functions.py").read_text()
    run = go(session, "settings", rounds=3, server_functions=text)

    assert run.status == "completed", run.error
    assert len(fedn.failures(run)) == 0


def test_a_seed_repeats_a_run(session: Session) -> None:
    """The same seed gives the same model, warm and cold."""
    runs = [go(session, "stateful", rounds=2, seed=5, cold=cold) for cold in (False, True)]

    first, second = (model_of(run) for run in runs)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_data_are_beside_the_working_copy(tmp_path: Path) -> None:
    """`../data` is the node's subfolder of `--data FOLDER`; what the package writes there stays with the node."""
    package = tmp_path / "package"
    shutil.copytree(client("good"), package)
    (package / "train.py").write_text(
        (package / "train.py")
        .read_text()
        .replace('os.environ.get("TARGET", "1")', 'open("../data/target").read()')
    )
    for index, name in enumerate(["hospital_a", "Élève 1"]):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "target").write_text(str(4 * index))
    with Session(data=str(tmp_path / "data"), store=tmp_path / "store") as session:
        run = fedn.run(package, session=session, rounds=1, say=quiet).wait(100)

        assert np.allclose(model_of(run)[0], 1.0)
        assert {row["node"] for row in fedn.validations(run)} == {"hospital_a", "Élève 1"}


def test_mistakes_are_told_before_anything_runs(session: Session, tmp_path: Path) -> None:
    """More `min_clients` than nodes, variables for a node that is not there, a seed that is no model."""
    broken = tmp_path / "seed.npz"
    broken.write_bytes(b"no model")

    with pytest.raises(UsageError, match="min_clients=4"):
        go(session, "good", min_clients=4)
    with pytest.raises(UsageError, match="node_7"):
        go(session, "good", node_env={"node_7": {"A": "1"}})
    with pytest.raises(PackageError, match=r"seed\.npz"):
        go(session, "good", seed_model=broken)
    assert not session.active


def test_the_trail_of_models(session: Session) -> None:
    """Models in order, each with its true parent; those of a fork begin with the model where it left."""
    run = go(session, "good", rounds=3)
    branch = run.fork(iteration=1, iterations=3).wait(100)

    trail, other = fedn.trail(run), fedn.trail(branch)
    assert [row["round"] for row in trail] == [0, 1, 2, 3]
    assert [row["parent"] for row in trail] == [None, *[row["model"] for row in trail[:-1]]]
    assert other[0]["model"] == trail[2]["model"] and other[-1]["model"] != trail[3]["model"]
    assert np.allclose(model_of(run, 1)[0], 0.5)


def drawing(folder: Path) -> Path:
    """A package with startup whose training draws random numbers."""
    shutil.copytree(client("good"), folder)
    train = folder / "train.py"
    train.write_text(train.read_text().replace("point + (target - point) / 2", "point + np.random.rand()"))
    spec = folder / "fedn.yaml"
    spec.write_text(spec.read_text() + "  startup:\n    command: python -c pass\n")
    return folder


def test_startup_changes_no_numbers(session: Session, tmp_path: Path) -> None:
    """A fork, whose copies are fresh, draws what its parent drew; so does a run that was stopped in its first round."""
    run = fedn.run(drawing(tmp_path / "client"), session=session, rounds=3, seed=3, say=quiet).wait(100)
    branch = run.fork(iteration=0, iterations=3).wait(100)

    assert np.array_equal(model_of(run)[0], model_of(branch)[0])


def test_a_lost_template_costs_no_node(tmp_path: Path) -> None:
    """Where the process that has the imports ready is killed, the call is done once more by a process of its own."""
    began = time.time()
    slow = {"*": {"FAIL": "sleep", "SLEEP": "4", "FAIL_CALL": "1"}}
    seed = PACKAGES / "zeros.npz"
    # nodes of its own: the template is one that starts now
    with Session(nodes=3, store=tmp_path) as session:
        run = fedn.run(
            client("failing"), session=session, seed_model=seed, rounds=1, node_env=slow, say=quiet
        )
        until(lambda: len([row for row in run.logs if row.text.startswith("call 1")]) == 3, 40)
        kill_templates(began)
        run.wait(100)

    assert len(fedn.failures(run)) == 0
    assert {row.node for row in fedn_rows(run)} == {"node_0", "node_1", "node_2"}


def kill_templates(began: float) -> None:
    """Kill the processes that have imports ready and were started since."""
    for process in psutil.process_iter(["cmdline", "create_time"]):
        of_a_template = any("warm/inside" in word for word in process.info["cmdline"] or [])
        if of_a_template and process.info["create_time"] > began:
            process.kill()


def fedn_rows(run: Run) -> list[Any]:
    """The times of the trainings that counted."""
    return [row for row in run.metrics if row.name == "train_seconds"]


def test_a_mistake_leaves_no_nodes() -> None:
    """Nodes that were started for a run which is then refused are ended."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(UsageError, match="node_7"):
        fedn.run(client("good"), nodes=2, node_env={"node_7": {"A": "1"}}, store="off", say=quiet)

    until(lambda: not left(before), 20)
    assert left(before) == []


def left(before: set[int]) -> list[str]:
    """The commands of workers that were not there before."""
    found = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
    return [" ".join(each.cmdline()) for each in found if "spawn_main" in " ".join(each.cmdline())]
