"""What the tests of `APIClient` share: nodes, and a package as FEDn takes it."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.fedn.api import APIClient
from manta_nb.session.session import Session
from tests.fedn.packages import client as client_folder
from tests.waiting import until

Make = Callable[..., APIClient]


@pytest.fixture(scope="package")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three nodes without data, each pulling to a target of its own."""
    with Session(nodes=3, workers=2, store=tmp_path_factory.mktemp("store")) as opened:
        yield opened


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `package.tgz`, as the tutorial of FEDn packs it, and `seed.npz`."""
    folder = tmp_path_factory.mktemp("files")
    with tarfile.open(folder / "package.tgz", "w:gz") as archive:
        archive.add(client_folder("good"), arcname="client")
    np.savez_compressed(folder / "seed.npz", **{"0": np.zeros(3, np.float32), "1": np.array(0, np.int64)})
    return folder


class Said(list[str]):
    """Lines that were said."""

    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture
def said() -> Said:
    """What the client says."""
    return Said()


@pytest.fixture
def make(session: Session, said: Said) -> Make:
    """Makes clients on the nodes that are there."""

    def made(*address: Any, **options: Any) -> APIClient:
        return APIClient(*address, session=session, say=said, **options)

    return made


def finish(client: APIClient, session_id: str) -> None:
    """Wait until a session is over."""
    until(lambda: client.session_is_finished(session_id), 60, f"{session_id} is not finished")


def shape(value: Any) -> Any:
    """The types in what JSON made of a value: keys with theirs, of lists that of their first element."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)
