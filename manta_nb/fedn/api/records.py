"""What a network of FEDn knows, as plain records: packages, models, rounds, validations, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from manta_nb.compat.fedn.package.archive import Package

__all__ = [
    "COMBINER",
    "NOT_LIMITED",
    "EventRecord",
    "ModelRecord",
    "PackageRecord",
    "RoundRecord",
    "ValidationRecord",
    "correlation",
    "now",
]

#: what the one who combines is called: there is one, and it is whichever node is free
COMBINER = "combiner"
#: `round_timeout` as it is reported where calls may take as long as they like
NOT_LIMITED = 180


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def correlation(kind: str, *parts: str) -> str:
    """An id that is the same for whoever asks for it again."""
    return str(uuid5(NAMESPACE_URL, "/".join(("manta-nb", kind, *parts))))


@dataclass(frozen=True)
class PackageRecord:
    """A compute package that was set."""

    id: str
    package: Package
    #: the archive, as it is given out again
    data: bytes
    file_name: str
    storage_file_name: str
    helper: str
    committed: datetime
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class ModelRecord:
    """A model that was set (without parent and session), or that a round left."""

    id: str
    parent: str | None
    session_id: str | None
    committed: datetime


@dataclass(frozen=True)
class RoundRecord:
    """A round that is over, or that goes on."""

    #: counts from "1" through all sessions
    id: str
    #: Pending, Finished, Failed or Terminated
    status: str
    #: the options of its session
    session: Mapping[str, Any]
    #: the model it began with, and the one it left; None: not yet, or it failed
    begins: str
    model: str | None
    #: nodes that were asked, and that sent an update
    asked: int
    updates: int
    #: what the slowest of these took for `train`
    seconds: float


@dataclass(frozen=True)
class ValidationRecord:
    """What one node reported of one model; `data` is JSON."""

    model_id: str
    session_id: str
    node: str
    data: str
    at: datetime

    @property
    def id(self) -> str:
        """24 hexadecimal digits, as a document of MongoDB has them."""
        return correlation("validation", self.model_id, self.node).replace("-", "")[:24]

    @property
    def correlation_id(self) -> str:
        """The id of the request that it answers."""
        return correlation("validate", self.model_id, self.node)


@dataclass(frozen=True)
class EventRecord:
    """What happened: a `type` of FEDn's, such as MODEL_UPDATE; `data` is JSON."""

    type: str
    status: str
    data: str
    session_id: str
    correlation_id: str
    at: datetime
    #: the node, or the combiner
    sender: str
    level: str = "INFO"

    @property
    def id(self) -> str:
        """24 hexadecimal digits, as a document of MongoDB has them."""
        parts = self.type, self.status, self.correlation_id, self.sender
        return correlation("event", *parts).replace("-", "")[:24]
