"""Scripts in the form of published ones run as they are: their files, their paths, and what they do oddly."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from manta_nb import Session, swarm_learning
from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.nodes.isolation import needs_platform
from manta_nb.compat.swarm_learning.nodes.places import Places
from manta_nb.swarm_learning import ScriptRun
from manta_nb.swarm_learning.preparing import Wishes, prepare
from tests.swarm_learning import published_forms as forms

NODES = ("node_0", "node_1", "node_2")
needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="there is no bubblewrap")
needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="there is no TensorFlow"
)

Play = Callable[..., ScriptRun]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three nodes with data in all forms."""
    folder = forms.lay_out(tmp_path_factory.mktemp("forms") / "data", 3)
    with Session(data=folder, store=tmp_path_factory.mktemp("store")) as session:
        yield session


@pytest.fixture
def play(session: Session, tmp_path: Path) -> Play:
    """`play(script, **options)`: run a script, or one with siblings, to its end."""

    def start(script: str | Mapping[str, str], **options: Any) -> ScriptRun:
        files = {"train.py": script} if isinstance(script, str) else script
        for name, text in files.items():
            path = tmp_path / "script" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        main = tmp_path / "script" / "train.py"
        run = swarm_learning.run(main, session=session, deadline=60, **options)
        return run.wait(check=False)

    return start


def ends(run: ScriptRun) -> dict[str, dict[str, Any]]:
    """What became of the nodes, all of which have to have ended well."""
    found = {row["node"]: row for row in run.scripts}
    assert run.status == "completed", run.reason
    assert [found[node]["exit_code"] for node in NODES] == [0, 0, 0], [found[node]["tail"] for node in NODES]
    return found


def assert_one_model(found: Mapping[str, Mapping[str, Any]]) -> None:
    checksums = {found[node]["checksum"] for node in NODES}
    assert len(checksums) == 1 and None not in checksums


def saved(found: Mapping[str, Mapping[str, Any]], name: str) -> list[Path]:
    """The one file of that name in each node's model directory, however one looks for it."""
    folders = [Path(found[node]["model_dir"]) for node in NODES]
    paths = [[path for path in _followed(folder) if path.name == name] for folder in folders]
    assert [len(each) for each in paths] == [1, 1, 1], paths
    return [each[0] for each in paths]


def _followed(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, followlinks=True):
        yield from (Path(place) / name for name in names)


@pytest.mark.cluster
def test_a_model_that_is_saved_whole(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is one of `__main__`; all nodes save the same final model; the one with less data ended earlier."""
    run = play(forms.SAVED_WHOLE, env={"MAX_EPOCHS": 2}, min_peers=2, seed=1)
    found = ends(run)
    classes = types.ModuleType("classes")
    exec(forms.SAVED_WHOLE.replace("from swarm import", "from unittest.mock import Mock as"), vars(classes))  # noqa: S102 - our own text, for its class
    monkeypatch.setitem(sys.modules, "__main__", classes)
    models = [torch.load(path, weights_only=False) for path in saved(found, "saved_model.pt")]

    assert_one_model(found)
    for name, value in models[0].state_dict().items():
        assert all(torch.equal(value, model.state_dict()[name]) for model in models)
    # 20 batches on two nodes, 10 on the third: begin, 8, 16, end
    assert [row["interval"] for row in run.merges] == [8, 8, 8, 8]
    kinds = [row["kinds"]["node_2"] for row in run.globals["merges"]]
    assert kinds == ["begin", "batch", "end", "end"]
    assert run.metrics.to_pandas().query("name == 'val_accuracy'").value.iloc[-1] > 0.5


@pytest.mark.cluster
@needs_bubblewrap
def test_siblings_words_and_settings(play: Play) -> None:
    """A package beside it, argv, a path in a file of settings, a Dataset for adsValData, and Windows' line ends."""
    found = ends(play(forms.WITH_SIBLINGS, args="--lr 0.25"))

    assert_one_model(found)
    states = [torch.load(path) for path in saved(found, "state.pt")]
    assert all(torch.equal(states[0]["weight"], state["weight"]) for state in states)
    assert any("lr was 0.25" in line for line in found["node_0"]["tail"])


@pytest.mark.cluster
@needs_bubblewrap
def test_paths_and_peers_that_are_written_down(play: Play) -> None:
    """/platform/swarmml is each node's own, for data and for what is saved; the interval adapts itself."""
    run = play(forms.HARD_CODED)
    found = ends(run)

    assert_one_model(found)
    assert len(saved(found, "hard_coded.pt")) == 3
    assert found["node_1"]["tail"][-1] == "seen /platform/swarmml/model"
    assert [row["interval"] for row in run.merges][:2] == [5, 5]
    assert not Path("/platform").exists()


@pytest.mark.cluster
def test_a_training_that_is_never_ended(play: Play) -> None:
    """Nobody waits for ever; what each saved is the model of its last merge."""
    run = play(forms.FORGETFUL)
    found = ends(run)
    weights = [torch.load(path).unique().tolist() for path in saved(found, "weight.pt")]

    # 0, 1 and 2 begin with their own number: the mean is 1, and nothing is trained
    assert weights == [[1.0], [1.0], [1.0]]
    assert [row["kinds"] for row in run.globals["merges"]][-1] == dict.fromkeys(NODES, "gone")
    assert found["node_0"]["epochs"] == 6


@pytest.mark.cluster
@needs_keras
def test_keras_as_it_was_written_for(play: Play) -> None:
    """np.float, SGD(lr=) and a folder to save to are of Keras 2; EarlyStopping ends one node, and it stays a peer."""
    run = play(forms.KERAS)
    found = ends(run)

    assert_one_model(found)
    assert len(saved(found, "model.keras")) == len(saved(found, "saved_model.pb")) == 3
    assert found["node_1"]["epochs"] == 2 and found["node_0"]["epochs"] == 3
    assert run.globals["merges"][-2]["kinds"]["node_1"] == "end"
    told = [row.text for row in run.logs if row.node == "node_0" and row.text.startswith("manta-nb: ")]
    assert [part in line for part, line in zip(("np.float", "lr=", "SavedModel"), told, strict=True)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("d = os.getenv('DATA_DIR', '/platform/data')", False),
        ('m = os.environ.get( "MODEL_DIR" , "/platform/swarmml/model" )', False),
        ("d = os.getenv('OTHER_DIR', '/platform/data')", True),
        ("d = os.getenv('DATA_DIR', '/platform/data')\nm = '/platform/model'", True),
    ],
)
def test_a_fallback_needs_no_platform(text: str, needs: bool) -> None:
    """Where the variable is set, a machine without bubblewrap will do."""
    assert needs_platform([text]) is needs


@pytest.mark.parametrize(("said", "alone"), [("True", True), ("1", True), ("false", False)])
def test_loopback_as_a_variable_trains_alone(said: str, alone: bool, tmp_path: Path) -> None:
    """It is HPE's way to say it: no node waits for a merge that never comes."""
    (tmp_path / "train.py").write_text(forms.FORGETFUL)

    prepared = prepare(tmp_path / "train.py", Wishes(nodes=2, env={"SWARM_LOOPBACK": said}))

    assert prepared.settings.loopback is alone


def test_given_paths_need_the_platform(tmp_path: Path) -> None:
    """Words and variables of a script count as much as its text, and so do its settings."""

    def places(number: int, given: list[str], **files: str) -> Places:
        program = Program(
            "train.py", {"train.py": b"", **{name: text.encode() for name, text in files.items()}}
        )
        return Places.prepare(tmp_path / str(number), program, {}, None, given)

    found = [
        places(0, []),
        places(1, ["--data=/platform/swarmml/data"]),
        places(2, [], **{"settings.yaml": "data: /platform/data"}),
    ]
    assert [each.platform for each in found] == [False, True, True]


def test_a_model_directory_does_not_contain_itself_for_long(tmp_path: Path) -> None:
    """`./model` is there for a script that needs it, and gone for whoever looks at what the script wrote."""
    program = Program("train.py", {"train.py": b"open('./model/out', 'w')"})
    places = Places.prepare(tmp_path, program, {}, None)
    (places.model / "model" / "out").touch()
    places.tidy()

    assert sorted(path.name for path in _followed(places.model)) == ["out", "train.py"]
