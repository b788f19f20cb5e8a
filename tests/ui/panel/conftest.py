"""What the tests of the panel share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.panel.fakes import FakeNotebook, Kernel


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A kernel with a panel, in an empty folder; afterwards no thread of it is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_HOME", raising=False)
    made = Kernel()
    yield made
    made.panel.close()
    assert made.threads == []


@pytest.fixture
def notebook(kernel: Kernel) -> FakeNotebook:
    """A notebook whose magics are loaded in that kernel."""
    made = FakeNotebook()
    kernel.panel.take(made)  # type: ignore[arg-type]
    return made
