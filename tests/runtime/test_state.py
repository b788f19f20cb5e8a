"""`local.state`: versions on the node's own disk, so that a turn that does not count leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.errors import ValueRefused
from manta_nb.runtime.runners import state as state_module
from manta_nb.runtime.runners.request import NodeRecord
from manta_nb.runtime.runners.state import NodeState


def write(home: Path, start: str | None, version: str, kept: int = 0, **values: Any) -> bool:
    """One turn that sets these values; returns whether a new version was written."""
    state = NodeState(home, start, version, kept)
    state.values.update(values)
    return state.save()


def read(home: Path, version: str) -> dict[str, Any]:
    """What a turn that starts from a version finds."""
    return dict(NodeState(home, version, "99-x-0", 0).values)


def iterations(home: Path) -> list[int]:
    """The iterations of the versions that lie on disk."""
    return sorted(int(path.name.partition("-")[0]) for path in home.rglob("*") if path.is_file())


def test_the_first_turn_finds_nothing(tmp_path: Path) -> None:
    """A node begins with an empty state and no file."""
    state = NodeState(tmp_path, None, "0-t-0", 0)

    assert dict(state.values) == {}
    assert not state.save()
    assert iterations(tmp_path) == []


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    """The next turn finds the values; its arrays are writable."""
    write(tmp_path, None, "0-t-0", c=np.arange(3.0), n=1)
    found = read(tmp_path, "0-t-0")
    found["c"][0] = 5

    assert found["n"] == 1
    assert found["c"].tolist() == [5, 1, 2]


def test_an_array_changed_in_place_is_kept(tmp_path: Path) -> None:
    """A change inside an array counts as a change."""
    write(tmp_path, None, "0-t-0", c=np.zeros(3))
    state = NodeState(tmp_path, "0-t-0", "1-t-0", 0)
    state.values["c"] += 1

    assert state.save()
    assert read(tmp_path, "1-t-0")["c"].tolist() == [1, 1, 1]


def test_reading_alone_writes_nothing(tmp_path: Path) -> None:
    """A turn that looks at the state but does not change it leaves no new version."""
    write(tmp_path, None, "0-t-0", n=1)
    state = NodeState(tmp_path, "0-t-0", "1-t-0", 0)
    seen = state.values["n"]

    assert (seen, state.save(), iterations(tmp_path)) == (1, False, [0])


def test_a_turn_that_did_not_count_is_rolled_back(tmp_path: Path) -> None:
    """A second attempt starts from the version of before, whatever the first one wrote."""
    write(tmp_path, None, "0-t-0", n=1)
    write(tmp_path, "0-t-0", "1-t-0", n=100)
    write(tmp_path, "0-t-0", "1-t-1", m=2)

    assert read(tmp_path, "1-t-1") == {"n": 1, "m": 2}


def test_old_versions_are_tidied_away(tmp_path: Path) -> None:
    """Of many iterations the latest 64 stay on disk, so that another run can go on from there."""
    start = None
    for iteration in range(100):
        write(tmp_path, start, f"{iteration}-t-0", iteration, n=iteration)
        start = f"{iteration}-t-0"

    assert iterations(tmp_path) == list(range(35, 100))


def test_large_versions_go_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may take so many bytes on each node; two behind what the store has stay whatever they take."""
    monkeypatch.setattr(state_module, "EARLIER_BYTES", 1)
    start = None
    for iteration in range(10):
        write(tmp_path, start, f"{iteration}-t-0", iteration, n=iteration)
        start = f"{iteration}-t-0"

    assert iterations(tmp_path) == [7, 8, 9]


def test_what_the_store_has_not_confirmed_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is behind may be what the run goes on from: all versions since then stay."""
    monkeypatch.setattr(state_module, "EARLIER_BYTES", 1)
    start = None
    for iteration in range(10):
        write(tmp_path, start, f"{iteration}-t-0", min(iteration, 5), n=iteration)
        start = f"{iteration}-t-0"

    assert iterations(tmp_path) == [3, 4, 5, 6, 7, 8, 9]


def test_the_version_a_turn_started_from_is_never_tidied_away(tmp_path: Path) -> None:
    """Where a later version did not count, the committed one stays: the turn may have to be done again."""
    write(tmp_path, None, "3-t-0", n=3)
    write(tmp_path, "3-t-0", "4-t-0", n="this report came too late")
    write(tmp_path, "3-t-0", "5-t-0", n=5)

    assert read(tmp_path, "3-t-0") == {"n": 3}


def test_two_tasks_of_an_iteration_keep_both(tmp_path: Path) -> None:
    """Versions of two tasks in one iteration stand beside each other."""
    write(tmp_path, None, "0-a-0", n=1)
    write(tmp_path, "0-a-0", "0-b-0", n=2)

    assert iterations(tmp_path) == [0, 0]
    assert (read(tmp_path, "0-a-0"), read(tmp_path, "0-b-0")) == ({"n": 1}, {"n": 2})


@pytest.mark.parametrize("outlives", [True, False])
def test_runs_and_nodes_do_not_see_each_other(tmp_path: Path, outlives: bool) -> None:
    """The state belongs to one node in one run, wherever it is kept."""
    records = [
        NodeRecord(tmp_path / node, {}, tmp_path / "states" if outlives else None) for node in ("a", "b")
    ]

    folders = {Path(record.state_folder(run)) for record in records for run in ("1", "2")}

    assert len(folders) == 4
    assert all(folder.is_relative_to(tmp_path / "states") == outlives for folder in folders)


def test_a_state_that_cannot_travel_is_refused(tmp_path: Path) -> None:
    """A value that cannot be stored names its place, and no file is left."""
    with pytest.raises(ValueRefused, match=r"function at local\.state\[\"f\"\]"):
        write(tmp_path, None, "0-t-0", f=lambda: 1)
    assert iterations(tmp_path) == []


@pytest.mark.parametrize(
    "task", ["../../../up", "a/b", "..", "x" * 200, "Élève · 1", "con:", "\\", "a\0b", "\ud800"]
)
def test_the_name_of_a_task_leads_nowhere(tmp_path: Path, task: str) -> None:
    """Whatever a task is called, its state lies inside the node's own folder."""
    home = tmp_path / "a" / "b" / "c"
    write(home, None, f"0-{task}-0", n=1)
    write(home, f"0-{task}-0", f"1-{task}-0", n=2)

    assert read(home, f"1-{task}-0") == {"n": 2}
    assert [path for path in tmp_path.rglob("*") if path.is_file() and home not in path.parents] == []
    assert iterations(home) == [0, 1]
