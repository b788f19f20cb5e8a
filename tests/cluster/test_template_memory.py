"""A template keeps little memory of its own: it is forked before its worker has changed much."""

from __future__ import annotations

import sys

import psutil
import pytest

from manta_nb import Session

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="what a process has changed is told on Linux alone"),
]


def changed(process: psutil.Process) -> int:
    """Bytes that it shares with nobody since it wrote to them."""
    return sum(each.private_dirty for each in process.memory_maps())


def test_a_template_has_half_of_what_its_worker_has() -> None:
    """Forked once Dask's worker is set up it would keep a copy of all that the worker changes later."""
    with Session(nodes=2, store="off") as session:
        workers = [psutil.Process(node.pid) for node in session.nodes.values()]
        shares = [changed(template) / changed(worker) for worker in workers for template in worker.children()]

    assert len(shares) == 2
    assert max(shares) < 0.5
