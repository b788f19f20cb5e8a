"""Nodes that tests of swarm learning share, and scripts in miniature to run on them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from manta_nb import Session, swarm_learning
from manta_nb.swarm_learning import ScriptRun

PEER = Path(__file__).with_name("peer.py")
NODES = ("node_0", "node_1", "node_2")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three nodes; a test that ends one waits until it is back."""
    with Session(nodes=3, store=tmp_path_factory.mktemp("store")) as session:
        yield session


@pytest.fixture
def play(session: Session, tmp_path: Path) -> Callable[..., ScriptRun]:
    """`play({"node_0": {...}}, **options)`: run the miniature, each node after its own plan."""
    folder = tmp_path / "script"
    folder.mkdir()
    (folder / "peer.py").write_text(PEER.read_text())
    numbers = itertools.count()

    def start(plans: Mapping[str, Mapping[str, Any]], wait: bool = True, **options: Any) -> ScriptRun:
        common = {"step": 1.0, "batches": 4, "interval": 2, "peers": 2}
        board = tmp_path / f"board_{next(numbers)}"
        variables = {
            node: {"PLAN": json.dumps({**common, **plans.get(node, {})}), "BOARD": str(board)}
            for node in NODES
        }
        run = swarm_learning.run(
            folder / "peer.py",
            session=session,
            node_env=variables,
            **{"patience": 30, "deadline": 40, **options},
        )
        run.board = board
        return run.wait() if wait else run

    return start
