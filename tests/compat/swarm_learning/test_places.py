"""What the script of a node finds: its folders, its variables, and `/platform/…` of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.nodes.isolation import inside, needs_platform
from manta_nb.compat.swarm_learning.nodes.places import Places
from manta_nb.errors import PackageError
from manta_nb.sdk.context import Dataset

SAY = "print('hello')"
needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="there is no bubblewrap")


def prepare(root: Path, text: str = SAY, common: str | None = None, **files: bytes) -> Places:
    own = root / "own"
    own.mkdir(parents=True)
    for name, data in files.items():
        (own / f"{name}.txt").write_bytes(data)
    datasets = {name: Dataset(own / f"{name}.txt") for name in files}
    program = Program("train.py", {"train.py": text.encode()})
    return Places.prepare(root / "node", program, datasets, common)


def run(places: Places, text: str) -> str:
    variables = places.environment({}, 7)
    command = places.command(["python", "-c", text])
    done = subprocess.run(
        command, cwd=places.model, env=variables, capture_output=True, text=True, check=False, timeout=30
    )
    return done.stdout.strip() or done.stderr


def test_data_and_model_are_found_in_every_usual_way(tmp_path: Path) -> None:
    """By the variables, by ./data, by ../data and by ./model."""
    places = prepare(tmp_path, "MODEL = './model'", a=b"data")
    text = (
        "import os; "
        "print(*(open(f'{folder}/a.txt').read() for folder in (os.environ['DATA_DIR'], 'data', '../data')), "
        "os.path.exists('./model/train.py'), os.path.samefile(os.environ['MODEL_DIR'], '.'))"
    )

    assert run(places, text) == "data data data True True"


def test_what_a_script_wrote_stays(tmp_path: Path) -> None:
    """A node that comes back finds its model directory as it was."""
    places = prepare(tmp_path)
    (places.model / "saved.pt").touch()
    (tmp_path / "own").rename(tmp_path / "gone")
    again = prepare(tmp_path)

    assert (again.model / "saved.pt").exists()


def test_a_folder_for_all_is_the_data_of_each(tmp_path: Path) -> None:
    """Where there are no parts, nodes share what there is."""
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "x.csv").write_text("1,2")
    places = prepare(tmp_path, common=str(tmp_path / "all"))

    assert (places.data / "x.csv").read_text() == "1,2"


def test_given_variables_count_most(tmp_path: Path) -> None:
    """Also over those that we set."""
    variables = prepare(tmp_path).environment({"DATA_DIR": "/mine", "MAX_EPOCHS": "3"}, 7)

    assert (variables["DATA_DIR"], variables["MAX_EPOCHS"]) == ("/mine", "3")
    assert variables["PYTHONHASHSEED"] == "0"


@needs_bubblewrap
def test_platform_paths_are_each_nodes_own(tmp_path: Path) -> None:
    """Two nodes write to /platform/swarmml/model, and each finds its own there and its own data."""
    text = "# /platform/swarmml/data"
    first, second = (prepare(tmp_path / name, text, a=name.encode()) for name in ("one", "two"))
    write = (
        "import os; told = open('/platform/swarmml/data/a.txt').read(); "
        "open('/platform/swarmml/model/out', 'w').write(told); print(told, os.getcwd(), os.getppid() > 0)"
    )

    assert run(first, write) == "one /platform/swarmml/model True"
    assert run(second, write) == "two /platform/swarmml/model True"
    assert (first.model / "out").read_text() == "one"
    assert not Path("/platform").exists()


@needs_bubblewrap
def test_data_there_cannot_be_written(tmp_path: Path) -> None:
    """As on a real node."""
    places = prepare(tmp_path, "# /platform/data")

    assert "Read-only" in run(places, "open('/platform/data/new', 'w')")


def test_without_bubblewrap_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, and what else would do."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PackageError, match="apt install bubblewrap, or let it read DATA_DIR and MODEL_DIR"):
        inside(["python"], {}, "/")


def test_a_bubblewrap_that_may_not_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own words."""
    tool = tmp_path / "bwrap"
    tool.write_text("#!/bin/sh\necho 'no permissions to create a namespace' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(PackageError, match="no permissions to create a namespace"):
        inside(["python"], {}, "/")


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("x = '/platform/swarmml/data'", True),
        ("'/platform/scratch'", True),
        ("import platform", False),
        ("'/platforms'", False),
    ],
)
def test_only_scripts_that_name_it_are_isolated(text: str, needs: bool) -> None:
    """The word platform alone means something else."""
    assert needs_platform([text]) is needs
