"""Which Python calls an entry point, in which environment, and what is said about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from manta_nb.compat.fedn.programs.calling import Caller, program_environment
from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.shims import shim_folder
from tests.compat.fedn.packages import write_package

SAY = "import os, sys; print(os.environ.get('WHO'), os.getcwd(), sys.argv[1:])"


def called(
    caller: Caller, command: str, *paths: str, seed: int | None = None
) -> tuple[Outcome, list[tuple[str, str]]]:
    """What came of a call of `train`, and the lines it printed."""
    lines: list[tuple[str, str]] = []
    return caller.call("train", command, paths, seed, lambda level, line: lines.append((level, line))), lines


def test_a_program_begins_in_its_copy(tmp_path: Path) -> None:
    """With the node's variables, and its paths as two words, whatever is in them."""
    folder = write_package(tmp_path / "copy", {"train.py": SAY})
    caller = Caller(folder, {"WHO": "node_0"}, cold=True)
    outcome, lines = called(caller, "python train.py", "a b.npz", "$HOME.npz")

    assert (outcome.exit_code, outcome.how) == (0, "cold")
    assert lines == [("stdout", f"node_0 {folder} ['a b.npz', '$HOME.npz']")]
    assert caller.notes() == [f"python means {sys.executable}"]


def test_a_call_that_cannot_be_warm_is_cold_and_says_why(tmp_path: Path) -> None:
    """What only a shell can start is a new process each time."""
    folder = write_package(tmp_path / "copy", {"train.py": SAY})
    caller = Caller(folder, {})
    outcome, lines = called(caller, "true && python train.py", "in", "out")

    assert outcome.how == "cold" and lines[0][1].endswith("['in', 'out']")


@pytest.mark.parametrize("seed", [3, None])
def test_a_seed_repeats_a_program(tmp_path: Path, seed: int | None) -> None:
    """`random` and `numpy` draw the same numbers again; without a seed others."""
    program = "import random, numpy; print(random.random(), numpy.random.random(), hash('a'))"
    folder = write_package(tmp_path / "copy", {"train.py": program})
    caller = Caller(folder, {}, cold=True)
    first, second = (called(caller, "python train.py", seed=seed)[1] for _ in range(2))

    assert (first == second) == (seed is not None)


def test_the_environment_has_ours_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fedn` is manta_nb's, or what is installed; variables of the node win over those of the process."""
    monkeypatch.setenv("WHO", "process")
    ours, real = (
        program_environment(os.environ, {"WHO": "node"}, sys.executable, real_fedn=real)
        for real in (False, True)
    )

    assert ours["WHO"] == "node" and ours["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert str(shim_folder()) in ours["PYTHONPATH"].split(os.pathsep)
    assert str(shim_folder()) not in real["PYTHONPATH"].split(os.pathsep)


def test_a_node_has_its_own_variables_and_those_of_all(tmp_path: Path) -> None:
    """The settings of the run say them; its own win."""
    folder = write_package(tmp_path / "copy", {"train.py": SAY})
    environments = {"*": {"WHO": "everybody"}, "node_1": {"WHO": "one"}}
    settings = Settings(
        "p", "", {"train": "python train.py"}, "numpyhelper", environments=environments, cold=True
    )
    said = [
        called(Caller.of(settings, folder, node), "python train.py")[1][0][1] for node in ("node_0", "node_1")
    ]

    assert [line.split()[0] for line in said] == ["everybody", "one"]


def test_settings_travel_as_they_are() -> None:
    """A value that may travel, and back."""
    settings = Settings("p", "abc", {"train": "x"}, "numpyhelper", client_settings=b"a: 1", data="/data")

    assert Settings.of(settings.as_value()) == settings
