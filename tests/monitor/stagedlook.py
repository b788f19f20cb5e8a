"""What is seen of nodes that are not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from manta_nb.session.feed import NodeLook

__all__ = ["StagedLook"]

GB = 1 << 30


class StagedLook:
    """Looks at nodes that are not there."""

    def __init__(self, nodes: Sequence[str], per_worker: int = 1) -> None:
        self.nodes: Mapping[str, NodeLook] = {
            node: NodeLook("busy", f"worker-{i // per_worker}", 4000 + i // per_worker, 179_600 + 8 * i)
            for i, node in enumerate(nodes)
        }

    def sample(self) -> None:
        """Nothing changes."""

    def set(self, cpu: Callable[[int], float], memory: float = 0.2) -> None:
        """What each worker takes now."""
        self.nodes = {
            node: replace(look, cpu=round(cpu(i), 1), rss=int(memory * GB) + 1_000_000 * i)
            for i, (node, look) in enumerate(self.nodes.items())
        }
