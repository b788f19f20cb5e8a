"""What the tests of the magics share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.fakes import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A notebook's shell with the magics, on fake nodes, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_NB_BLOCK", raising=False)
    notebook = Shell()
    yield notebook
    notebook.close()
