"""What a framework has to be able to do for its models to be merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ._errors import SwarmError

__all__ = ["Arrays", "Framework", "Scores", "demand_match"]

Arrays = Mapping[str, np.ndarray]
#: a loss, None where there is none, and metrics by name
Scores = tuple["float | None", "dict[str, float]"]

_SHOWN = 3


class Framework(Protocol):
    """A model of a framework, as the callback sees it."""

    #: "PYTORCH" or "KERAS"
    platform: str

    def ready(self) -> bool:
        """Whether the model has all its weights; some are made only when the first batch comes."""

    def read(self) -> dict[str, np.ndarray]:
        """The weights by name, as they travel; they may be views of the model."""

    def load(self, arrays: Arrays) -> None:
        """Put these weights into the model, in place; SwarmError, and nothing changed, where they do not fit."""

    def evaluate(self) -> Scores:
        """Loss and metrics of the model on the validation data."""

    def stop(self) -> None:
        """The swarm is over: end the training loop, where the framework can."""


def demand_match(wanted: Mapping[str, tuple[int, ...]], arrays: Arrays) -> None:
    """Demand that the arrays have just the names and shapes of this node's model.

    Raises:
        SwarmError: it says which names are missing, which nobody here knows, or which shape differs.
    """
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise SwarmError(f"the merged model lacks {_some(missing)}: all nodes have to build the same model")
    unknown = [name for name in arrays if name not in wanted]
    if unknown:
        raise SwarmError(f"the merged model has {_some(unknown)}, which this node's model has not")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise SwarmError(
                f"{name[:60]} of the merged model has the shape {arrays[name].shape}, this node's has {shape}: "
                "all nodes have to build the same model"
            )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(name[:40] for name in names[:_SHOWN])}{rest}"
