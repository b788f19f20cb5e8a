"""What a run does not know of its nodes: the processes that host them, and how large their data are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Buttons", "Look", "NoLook", "NodeLook"]


@dataclass(frozen=True)
class NodeLook:
    """One node: where it is hosted, and what its worker takes with all its child processes.

    Nodes that share a worker show the same `cpu` and `rss`: a task of one of them runs in a child of that worker.
    """

    #: "idle", "busy", "lost" or "closed", as the session says
    state: str = "idle"
    worker: str = ""
    pid: int = 0
    #: bytes of its datasets; None where nobody knows
    data_bytes: int | None = None
    #: per cent of one core since the sample before; None before the second one
    cpu: float | None = None
    #: bytes of memory
    rss: int | None = None


class Look(Protocol):
    """Looks at the nodes of a session now and then."""

    @property
    def nodes(self) -> Mapping[str, NodeLook]:
        """The nodes as they were seen last; replaced as a whole, never changed."""

    def sample(self) -> None:
        """Look again, if the last time is long enough ago. May take milliseconds; never raises for a lost node."""


class NoLook:
    """For runs whose nodes are not there any more."""

    @property
    def nodes(self) -> Mapping[str, NodeLook]:
        """See `Look.nodes`."""
        return {}

    def sample(self) -> None:
        """See `Look.sample`."""


@dataclass(frozen=True)
class Buttons:
    """What a person may do now, as the user interface knows it; part of the section `run`."""

    #: "live": buttons act at once; "after-cell": when the running cell ends; "none": there is no kernel
    controls: Literal["live", "after-cell", "none"] = "live"
    can_resume: bool = False
    note: str = ""
