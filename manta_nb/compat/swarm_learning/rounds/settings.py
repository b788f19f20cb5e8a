"""What the nodes have to know of a script that runs: one Global, which travels and is kept like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from manta_nb.compat.variables import variables_of

__all__ = ["DEADLINE", "PATIENCE", "Settings"]

#: seconds that the other nodes get once `min_peers` have checked in (SL_WAIT_FOR_FULL_QUORUM_SECONDS)
PATIENCE = 30.0
#: seconds in which `min_peers` must have checked in, from the first one on
DEADLINE = 600.0


@dataclass(frozen=True)
class Settings:
    """A script and how it is run; see `manta_nb.swarm_learning.run` for what the options mean."""

    #: name of its file, in the folder that is copied
    script: str
    #: the nodes that may take part, in order
    nodes: Sequence[str]
    arguments: Sequence[str] = ()
    #: node (or "*") → variables of its script
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: what the user asked for; the script's own number counts
    min_peers: int | None = None
    patience: float = PATIENCE
    deadline: float = DEADLINE
    #: None: what the scripts ask for, "mean" by default
    merge_method: str | None = None
    #: source text of a user's merge function; "": there is none
    merge_source: str = ""
    #: source text of a file with the function that measures a final model, and its name
    evaluate_source: str = ""
    evaluate_name: str = ""
    #: a folder that all nodes have as their data; None: each has its own
    data: str | None = None
    #: each script for itself, without any merge
    loopback: bool = False

    def as_value(self) -> dict[str, Any]:
        """The settings as a value that can travel."""
        return {**asdict(self), "nodes": list(self.nodes), "arguments": list(self.arguments)}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_value`."""
        return cls(**value)

    def environment(self, node_id: str) -> dict[str, str]:
        """The variables that were given for the script of one node."""
        return variables_of(node_id, self.environments)
