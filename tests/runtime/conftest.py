"""Workplaces of every kind, started once for all tests of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from tests.runtime.site import Site

#: how a child starts, and whether values lie in memory that is shared
Way = tuple[str, bool]

WAYS: list[Way] = [
    ("fork", True),
    ("fork", False),
    ("exec", True),
    ("exec", False),
    ("spawn", False),
    ("inline", True),
    ("inline", False),
]
#: those whose children are processes
KILLING = [way for way in WAYS if way[0] != "inline"]


def name_of(way: Way) -> str:
    """`fork-shared`."""
    return f"{way[0]}-{'shared' if way[1] else 'transfer'}"


class Sites(dict[Way, Site]):
    """One site a way, started when it is first asked for."""

    def __init__(self, stack: ExitStack, factory: pytest.TempPathFactory) -> None:
        super().__init__()
        self._stack, self._factory = stack, factory

    def __missing__(self, way: Way) -> Site:
        folder = self._factory.mktemp(name_of(way))
        self[way] = self._stack.enter_context(Site.open(folder, *way, memory=1 << 30))  # type: ignore[arg-type]
        return self[way]


@pytest.fixture(scope="package")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """All sites; when the last test is over, no process of theirs is left."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with ExitStack() as stack:
        yield Sites(stack, tmp_path_factory)
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


@pytest.fixture(params=WAYS, ids=name_of)
def site(request: pytest.FixtureRequest, sites: Sites) -> Site:
    """A site of each way to start a child and to carry values."""
    return sites[request.param]


@pytest.fixture(params=KILLING, ids=name_of)
def killer(request: pytest.FixtureRequest, sites: Sites) -> Site:
    """A site of each way whose children are processes."""
    return sites[request.param]
