"""What a run waits for is sent at once: Dask's own streams would keep it back for up to ten milliseconds."""

from __future__ import annotations

from typing import Any

import pytest
from distributed import get_worker

from manta_nb import Session
from manta_nb.runtime.promptness import INTERVAL
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


def intervals(session: Session) -> set[float]:
    """Those of all streams between the client, the scheduler and the workers."""
    client, scheduler = session._started.hosting.client, session.cluster.scheduler
    streams = [client.scheduler_comm, *scheduler.client_comms.values(), *scheduler.stream_comms.values()]
    asked = [client.submit(back, pure=False, workers=[worker]) for worker in scheduler.stream_comms]
    return {stream.interval for stream in streams} | set(client.gather(asked))


def back() -> Any:
    """The interval of what a worker says."""
    return get_worker().batched_stream.interval


def test_no_stream_waits(session: Session) -> None:
    """Neither there nor back, nor where a node was started anew."""
    before = intervals(session)
    session.nodes["node_1"].restart()
    until(lambda: session.nodes["node_1"].state != "lost", 20, "the node did not come back")
    after = intervals(session)

    assert before == after == {INTERVAL}
