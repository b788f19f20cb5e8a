"""What all tests share: stores of their own."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

_NUMBERS = itertools.count()


def pytest_configure() -> None:
    """What the shell that starts the tests has set must not decide them."""
    # one where another environment is active makes IPython warn, and a warning fails a test
    os.environ.pop("VIRTUAL_ENV", None)
    # what a shell starts in the background ignores interrupts; tests send some
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Runs of tests are kept in a folder that goes with them, not in the one where the tests are run."""
    folder = tmp_path_factory.mktemp("stores")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANTA_HOME", str(folder / "shared"))
        yield folder


@pytest.fixture(autouse=True)
def store_of_its_own(stores: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test finds no runs of another one; it is made when something is kept in it."""
    folder = stores / str(next(_NUMBERS))
    monkeypatch.setenv("MANTA_HOME", str(folder))
    return folder
