"""A node's folder that is missing, unreadable or leads elsewhere (faults.md §4, row 40)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from manta_nb import MantaError, Session
from tests.cluster.parts import module

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    """Two nodes with a dataset each."""
    for name in ("hospital_a", "hospital_b"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "scans.npz", x_train=np.arange(3))
    return tmp_path


READ = "world.results.add('n', len(local.get_numpy_data('scans')['x_train']))"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """One line before anything starts."""
    with pytest.raises(MantaError) as caught:
        Session(data=tmp_path / "none")

    assert "none" in str(caught.value) and len(str(caught.value)) <= 200


def test_a_folder_that_is_not_among_the_nodes(hospitals: Path) -> None:
    """A node that is asked for by name, and has none, is named."""
    with pytest.raises(MantaError, match="hospital_c"):
        Session(data=hospitals, nodes=["hospital_a", "hospital_c"])


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read(hospitals: Path) -> None:
    """One line that names it."""
    (hospitals / "hospital_b").chmod(0)
    try:
        with pytest.raises(MantaError, match="hospital_b"):
            Session(data=hospitals)
    finally:
        (hospitals / "hospital_b").chmod(0o700)


def test_a_folder_that_goes_while_the_session_lasts(hospitals: Path) -> None:
    """That node's task fails, and says what it could not open; the other nodes can go on, and it can come back."""
    with Session(data=hospitals) as session:
        shutil.move(hospitals / "hospital_b", hospitals / "away")
        failed = session.run(module(READ), iterations=1).wait(30, check=False)
        quorum = session.run(module(READ, min_nodes=1), iterations=1).wait(30)
        shutil.move(hospitals / "away", hospitals / "hospital_b")
        again = session.run(module(READ), iterations=1).wait(30)

    assert failed.status == "failed" and len(failed.error) <= 200
    assert "work failed on hospital_b at" in failed.error and "scans" in failed.error
    assert quorum.results.select("n") == {"hospital_a": 3}
    assert again.results.select("n") == {"hospital_a": 3, "hospital_b": 3}


def test_a_working_folder_that_goes(session: Session) -> None:
    """Where a node writes is made again, or is one line that names the node: no other node is hurt, nothing hangs."""
    work = module("open('note', 'w').close()\nworld.results.add('x', 1)")
    session.run(work, iterations=1).wait(30)
    shutil.rmtree(session.record("node_1").folder)
    run = session.run(work, iterations=1).wait(30, check=False)

    assert run.status == "completed" or ("node_1" in run.error and len(run.error) <= 200)
    assert session.run(module("world.results.add('x', 1)", specified_ids=["node_0"]), iterations=1).wait(20)
