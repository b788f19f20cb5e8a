"""What the nodes have to know of a package that runs: one Global, which travels and is kept like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from manta_nb.compat.variables import variables_of

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """A package and how its entry points are called; see `manta_nb.fedn.run` for what the options mean."""

    #: what the package is called, and the sha256 of what it holds
    package: str
    checksum: str
    #: entry point → command
    commands: Mapping[str, str]
    #: how models are read and written: "numpyhelper"
    helper: str
    #: node (or "*") → variables of its programs
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: a folder that all nodes see as `../data`; None: each has its own
    data: str | None = None
    python_env: Literal["ambient", "venv"] = "ambient"
    #: the file of the package that says what to install; None: none does
    environment_file: str | None = None
    cold: bool = False
    real_fedn: bool = False
    startup: bool = True
    #: whether `train` has to write metadata; programs of FEDn up to 0.4 did not, and weigh alike
    metadata: bool = True
    #: updates that a round needs
    min_clients: int = 1
    aggregator: str = "fedavg"
    aggregator_kwargs: Mapping[str, Any] = field(default_factory=dict)
    #: `client_settings.yaml`, where the package came with one
    client_settings: bytes | None = None
    #: source text of a class `ServerFunctions`; "": there is none
    server_functions: str = ""

    def as_value(self) -> dict[str, Any]:
        """The settings as a value that can travel."""
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_value`."""
        return cls(**value)

    def environment(self, node_id: str) -> dict[str, str]:
        """The variables of the programs of one node."""
        return variables_of(node_id, self.environments)
