"""Results of finished runs that had to make room: the store brings them back, or the run does not go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb import Module, Run, Session
from manta_nb.errors import MissingTag, UsageError
from manta_nb.sdk.swarm import FlowSwarm

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

#: each iteration adds one to what the one before left in the Results
COUNTER = """
from manta_light.task import Task

class Counter(Task):
    def run(self):
        before = self.world.results.select("count")
        self.world.results.add("count", before.get(self.world.node_id, 0) + 1)
"""


def counted(session: Session) -> Run:
    """A run whose next iteration reads the Results of its last one."""
    counter = Module.from_source(COUNTER, name="counter", method="all")
    return session.run(FlowSwarm("counting", counter()), iterations=2).wait()


def with_room_for_one(session: Session) -> Run:
    """A finished run whose Results had to make room for those of another one."""
    first = counted(session)
    first._legs.history.book._spare._limit = 0
    counted(session)
    return first


def test_a_store_brings_them_back(tmp_path: Path) -> None:
    """They cannot be read any more, and a run that goes on counts on from them."""
    with Session(nodes=2, store=tmp_path) as session:
        run = with_room_for_one(session)
        with pytest.raises(MissingTag, match="make room"):
            run.results.select("count")
        run.resume(iterations=4).wait()

        assert run.results.select("count") == {"node_0": 4, "node_1": 4}


def test_without_a_store_it_does_not_go_on() -> None:
    """It would begin to count anew, and nobody would notice."""
    with Session(nodes=2, store="off") as session:
        run = with_room_for_one(session)

        with pytest.raises(UsageError, match="had to make room for later runs"):
            run.resume(iterations=4)
