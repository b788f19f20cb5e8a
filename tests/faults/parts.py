"""What the tests of faults share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from manta_nb import Run, Session
from manta_nb.sdk.flow import TaskSpec
from tests.cluster.parts import module
from tests.waiting import until

__all__ = ["ENDLESS", "adding", "back", "told", "took"]

#: what no polite request ends
ENDLESS = {
    "loop": "while True: pass",
    "sleep": "time.sleep(1e6)",
    "gil": "import ctypes\nctypes.PyDLL(None).usleep(3_000_000_000)",
    "swallows": "while True:\n    try:\n        time.sleep(1)\n    except:\n        pass",
}


def back(session: Session) -> None:
    """Wait until every node is there."""
    until(
        lambda: all(node.state != "lost" for node in session.nodes.values()), 30, "a node did not come back"
    )


def told(run: Run, *kinds: str) -> list[tuple[str, str]]:
    """(kind, node) of the events of these kinds."""
    return [(event.kind, event.node_id) for event in run.events if event.kind in kinds]


def took(action: Callable[[], Any]) -> float:
    """Seconds."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def adding(body: str = "", **options: Any) -> TaskSpec:
    """Every node adds its share of 1 to `total`; what else it does is up to `body`."""
    worker = module(f"{body}\nworld.results.add('one', 1.0)", "worker", **options)
    total = module(
        """
        found = world.results.select("one")
        world.globals["total"] = world.globals.get("total", 0.0) + sum(found.values())
        world.globals["nodes"] = [*world.globals.get("nodes", []), len(found)]
        """,
        "total",
        method="any",
    )
    return worker >> total
