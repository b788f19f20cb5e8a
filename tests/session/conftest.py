"""Real nodes, started once for all tests of sessions and runs that need them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from manta_nb import Session
from tests.cluster.parts import Gate


@pytest.fixture(scope="package")
def session() -> Iterator[Session]:
    """Three nodes with a few rows of data each."""
    with Session(nodes=3, data="breast_cancer", partition="iid") as started:
        yield started


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate that is closed."""
    return Gate(tmp_path)
