"""What a task says and hears by its `World` and `Local`, beyond values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from manta_nb.errors import ValueRefused
from manta_nb.sdk.context import TaskContext
from manta_nb.sdk.local import Local
from manta_nb.sdk.world import World
from manta_nb.session.replay import MemoryHost


class Listening(MemoryHost):
    """A host that remembers quorums, and that nobody waits for."""

    def __init__(self) -> None:
        super().__init__({})
        self.quorums: list[tuple[object, ...]] = []

    def quorum(self, nodes: int, patience: float, deadline: float, away: bool) -> None:
        """Remember."""
        self.quorums.append((nodes, patience, deadline, away))

    @property
    def released(self) -> bool:
        """Yes."""
        return True


def context(host: MemoryHost) -> TaskContext:
    """A turn of node_0."""
    return TaskContext("run", 0, "task", "node_0", {}, host)


def test_a_quorum_is_told_in_plain_numbers() -> None:
    """Whatever kind of number it was given as."""
    host = Listening()
    World(context(host)).quorum(np.int64(2), np.float32(0.5), 60)  # type: ignore[arg-type]
    World(context(host)).quorum(nodes=3, patience=math.inf, deadline=0, away=True)

    assert host.quorums == [(2, 0.5, 60.0, False), (3, math.inf, 0.0, True)]
    assert [type(part) for part in host.quorums[0]] == [int, float, float, bool]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"nodes": 0}, "nodes=...) is a whole number from 1 on, got 0 (int)"),
    ({"nodes": 1.5}, "nodes=...) is a whole number from 1 on, got 1.5 (float)"),
    ({"nodes": math.inf}, "nodes=...) is a whole number from 1 on, got inf (float)"),
    ({"nodes": "2"}, "nodes=...) is a whole number from 1 on, got '2' (str)"),
    ({"patience": -1}, "patience=...) is a number of seconds from 0 on (math.inf: no limit), got -1 (int)"),
    ({"patience": math.nan}, "patience=...) is a number of seconds from 0 on"),
    ({"deadline": None}, "deadline=...) is a number of seconds from 0 on"),
]


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_a_quorum_that_makes_no_sense_is_one_line(changed: Mapping[str, Any], message: str) -> None:
    """It names what is wrong, what is right, and what it got; nothing is told."""
    host = Listening()
    with pytest.raises(ValueRefused) as refused:
        World(context(host)).quorum(**{"nodes": 2, "patience": 1, "deadline": 1, **changed})

    assert message in str(refused.value)
    assert len(str(refused.value)) <= 200
    assert host.quorums == []


def test_a_turn_asks_whether_it_was_released() -> None:
    """The host knows; alone in this process it never is."""
    assert World(context(Listening())).released is True
    assert World(context(MemoryHost({}))).released is False


def test_objects_of_a_lone_turn_are_its_own() -> None:
    """An empty dict, new for each."""
    first, second = Local(context(MemoryHost({}))), Local(context(MemoryHost({})))
    first.live["program"] = object()

    assert (list(first.live), dict(second.live)) == (["program"], {})
