"""The parameters of a SwarmCallback, checked; both families come to the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._errors import SwarmError

__all__ = ["MERGE_METHODS", "MODES", "Settings", "adaptive", "one_of", "positive", "size", "weight"]

#: what a node contributes after its training has ended
MODES = ("inactive", "snapshot", "active")
#: how the models of a round become one
MERGE_METHODS = ("mean", "coordmedian", "geomedian")


@dataclass(frozen=True)
class Settings:
    """What a script asked for.

    Attributes:
        family: the import package, "swarm" or "swarmlearning".
        sync_interval: batches between merges, at first.
        min_peers: so many nodes have to be ready for a merge.
        adaptive: whether the interval follows the validation loss.
        val_data: what the merged model is tried on; None: it is not.
        val_batch_size: None: as the data come.
        mode: one of `MODES`.
        weight: of this node, relative to the others.
        merge_method: one of `MERGE_METHODS`.
        total_epochs: for the display of progress; 0: unknown.
        loss: name of a class of torch.nn; None: chosen by the data.
        metric: name of a class of torchmetrics; None: chosen by the data.
    """

    family: str
    sync_interval: int
    min_peers: int
    adaptive: bool = False
    val_data: Any = None
    val_batch_size: int | None = None
    mode: str = "snapshot"
    weight: int = 1
    merge_method: str = "mean"
    total_epochs: int = 0
    loss: str | None = None
    loss_args: Mapping[str, Any] = field(default_factory=dict)
    metric: str | None = None
    metric_args: Mapping[str, Any] = field(default_factory=dict)

    def hello(self, platform: str) -> dict[str, Any]:
        """What the node is greeted with."""
        return {
            "op": "hello",
            "family": self.family,
            "platform": platform,
            "sync_interval": self.sync_interval,
            "min_peers": self.min_peers,
            "adaptive": self.adaptive,
            "mode": self.mode,
            "weight": self.weight,
            "merge_method": self.merge_method,
            "total_epochs": self.total_epochs,
            "validates": self.val_data is not None,
        }


def positive(name: str, value: Any) -> int:
    """`value` as an integer above 0: "5" and 5.7 are 5."""
    number = _whole(value)
    if number is None or number <= 0:
        raise SwarmError(f"{name} has to be a positive integer")
    return number


def size(value: Any) -> int | None:
    """A size of batches; None where it is none."""
    number = _whole(value)
    return number if number is not None and number > 0 else None


def weight(value: Any, least: int, complaint: str) -> int:
    """`value` as an integer from `least` to 100."""
    number = _whole(value)
    if number is None or not least <= number <= 100:
        raise SwarmError(f"{complaint}. Provided value: {str(value)[:40]}")
    return number


def adaptive(asked: Any, val_data: Any, complaint: str) -> bool:
    """Whether the interval adapts itself, for which there have to be validation data."""
    if asked and val_data is None:
        raise SwarmError(complaint)
    return bool(asked)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """`value`, which has to be one of the `allowed`, letter for letter."""
    if not isinstance(value, str) or value not in allowed:
        raise SwarmError(f"Invalid value {name}: {str(value)[:40]}. Allowed values: {', '.join(allowed)}")
    return value


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
