"""What was sent and given up: an outcome that comes later is told once, and does not count."""

from __future__ import annotations

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Event
from manta_nb.engine.results import ResultIndex
from manta_nb.runtime.batches import OpenBatch, OpenBatches
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.courier import Host

HOST = Host("worker-0", ("a", "b", "c", "d"), HostTag("here", "", 0, True), 4711)
TASK = RunTask(3, "worker", 1, ("a", "b", "c", "d"), {}, ResultIndex(), {})


def test_a_late_outcome_is_told_once() -> None:
    """With its task, its nodes and its attempt."""
    batches = OpenBatches()
    batches.add("run/0", OpenBatch(TASK, HOST, TASK.node_ids))
    batches.give_up("run/0")

    told = batches.given_up("run/0")

    assert told == Event(
        3,
        "late",
        "worker on a, b, c and 1 more: the outcome of attempt 1 came too late, and does not count",
        "a",
        "worker",
    )
    assert batches.given_up("run/0") is None
    assert batches.get("run/0") is None


def test_an_outcome_that_was_heard_is_not_late() -> None:
    """Dask's own word for it comes after it, every time."""
    batches = OpenBatches()
    batches.add("run/0", OpenBatch(TASK, HOST, TASK.node_ids))
    batches.close("run/0")
    batches.give_up("run/0")

    assert batches.given_up("run/0") is None
