"""A template keeps little memory of its own: it is forked before its worker has changed much."""

from __future__ import annotations

import psutil
import pytest

from manta_nb import Session
from manta_nb.runtime.cleanpages import SMAPS

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not SMAPS.exists(), reason="this system does not tell what a process has changed"),
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
