"""What a run of a package is asked for, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.errors import UsageError
from manta_nb.fedn.preparing import Wishes, prepare
from tests.fedn.packages import client


def test_bundled_data_win_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data digits` are the digits, also where the package lies in a folder called so."""
    (tmp_path / "digits" / "client").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert Wishes(data="digits", nodes=4).common is None


def test_a_real_fedn_has_to_be_there() -> None:
    """Asked for and not installed, it is one line before anything runs."""
    with pytest.raises(UsageError, match="pip install fedn"):
        prepare(client("good"), Wishes(real_fedn=True), print)


def test_which_folders_are_there_for_all_nodes(tmp_path: Path) -> None:
    """One without subfolders, or with a single one for several nodes; else each node has its own."""
    flat, single, parts = (tmp_path / name for name in ("flat", "single", "parts"))
    for folder in (flat, single / "clients", parts / "a", parts / "b"):
        folder.mkdir(parents=True)

    assert Wishes(data=str(flat)).common == str(flat)
    assert Wishes(data=single, nodes=3).common == str(single)
    assert Wishes(data=single).common is None
    assert Wishes(data=parts, nodes=3).common is None
