"""`manta-nb lab` and the notebooks it opens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from manta_nb.cli import lab
from manta_nb.cli.grammar import COMMANDS
from manta_nb.cli.main import _options
from manta_nb.cli.notebooks import checkout_folder, notebook
from manta_nb.errors import UsageError
from tests.cli.fakes import Streams


def test_lab_opens_the_notebooks() -> None:
    """JupyterLab is started by this Python, on the course, with all options that were typed."""
    started: list[Sequence[str]] = []

    def call(command: Sequence[str]) -> int:
        started.append(command)
        return 3

    options = _options(COMMANDS["lab"], ["--no-browser", "--port", "8899"])

    assert lab.main(options, Streams().console, call) == 3
    folder = str(Path(__file__).parents[2] / "notebooks")
    assert started == [[sys.executable, "-m", "jupyterlab", folder, "--no-browser", "--port", "8899"]]


def test_the_first_notebook_is_there() -> None:
    """In a checkout the notebooks are those of the repository."""
    assert notebook("01_first_swarm.ipynb").parent == checkout_folder()


def test_a_notebook_that_is_not_there() -> None:
    """The error says what to do."""
    with pytest.raises(UsageError, match=r"99\.ipynb is not part of this installation: pip install"):
        notebook("99.ipynb")
