"""Nodes that answer from a list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from manta_nb.shims.swarm._link import DESCRIPTOR, LOOPBACK
from tests.shims.swarm.node import Attendant, Reply


@pytest.fixture
def attend() -> Iterator[Callable[[Sequence[Reply]], Attendant]]:
    """`attend(replies)`: a node for a program of its own."""
    started: list[Attendant] = []

    def start(replies: Sequence[Reply]) -> Attendant:
        started.append(Attendant(replies))
        return started[-1]

    yield start
    for attendant in started:
        attendant.close()


@pytest.fixture
def node(
    attend: Callable[[Sequence[Reply]], Attendant], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[Reply]], Attendant]:
    """`node(replies)`: a node for a callback that is made in this process."""

    def start(replies: Sequence[Reply]) -> Attendant:
        attendant = attend(replies)
        monkeypatch.delenv(LOOPBACK, raising=False)
        monkeypatch.setenv(DESCRIPTOR, str(os.dup(attendant.theirs.fileno())))
        attendant.theirs.close()
        return attendant

    return start
