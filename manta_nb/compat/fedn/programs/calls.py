"""A call of an entry point: what is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from manta_nb.compat.processes.pump import Emit

__all__ = ["Call", "Emit", "Outcome"]


@dataclass(frozen=True)
class Call:
    """One call of an entry point."""

    #: which entry point: "train"
    name: str
    #: its command, as `fedn.yaml` has it
    command: str
    #: the paths it gets: (IN, OUT) as a rule
    arguments: tuple[str, ...]
    #: working directory: the node's copy of the package
    folder: Path
    #: the whole environment of the program
    environment: Mapping[str, str]
    #: the Python that `python` means
    interpreter: str
    #: seeds random, numpy and torch of the program; None: it draws as it likes
    seed: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    #: 0: well; -9: killed by signal 9
    exit_code: int
    seconds: float
    #: the last 20 lines it printed
    tail: tuple[str, ...]
    #: by fork from a process that has the imports ready, or as a process of its own
    how: Literal["warm", "cold"]
