"""Nodes that the tests of one file share; nothing of them is left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from manta_nb import Session
from tests.cluster.conftest import nothing_left
from tests.cluster.parts import Gate
from tests.faults.parts import back

__all__ = ["nothing_left"]


@pytest.fixture(scope="module")
def session(nothing_left: None) -> Iterator[Session]:
    """Three nodes, a process each, for all tests of a file."""
    with Session(nodes=3) as started:
        yield started


@pytest.fixture(autouse=True)
def as_before(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test no run goes on, no node stands still, is slow or away."""
    yield
    if "session" in request.fixturenames:
        session = request.getfixturevalue("session")
        if session.closed:
            return
        for run in session.active:
            run.stop()
        for node in session.nodes.values():
            session._actions.freezer.thaw(node.pid)
            with contextlib.suppress(Exception):
                node.slow(1)
        back(session)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate that is closed."""
    return Gate(tmp_path)
