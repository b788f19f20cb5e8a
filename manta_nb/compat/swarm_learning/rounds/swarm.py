"""Scripts as an ordinary swarm: train, merge and adopt are one iteration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.rounds.settings import Settings
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import Swarm

__all__ = ["ScriptSwarm"]

_MODULES = Path(__file__).resolve().parent / "modules"


class ScriptSwarm(Swarm):
    """The merges of a script that runs on every node.

    Args:
        settings: how the script is run.
        program: the script and its folder.

    Globals: `model` (from the first merge on), `merge` (the latest one), `merges` (all of them), `adaptive` (the
    interval that adapts itself), `knobs` (weights and
    modes that a person changes while it runs), `swarm_learning` (the settings) and `program`.
    """

    def __init__(self, settings: Settings, program: Program) -> None:
        super().__init__()
        self.name = Path(settings.script).stem
        self._loopback = settings.loopback
        everywhere: dict[str, Any] = {"method": "all", "min_nodes": 0 if settings.loopback else 1}
        if settings.loopback:
            self.alone = Module(_MODULES / "alone.py", **everywhere)
        else:
            self.train = Module(_MODULES / "train.py", **everywhere)
            self.merge = Module(_MODULES / "merge.py")
            self.adopt = Module(_MODULES / "adopt.py", **{**everywhere, "min_nodes": 0})
        self.set_global("swarm_learning", settings.as_value())
        self.set_global("program", program.as_value())
        unchanged = dict.fromkeys(settings.nodes)
        self.set_global("knobs", {"weights": unchanged, "modes": unchanged})
        self.set_global("merges", [])

    def execute(self) -> TaskSpec:
        """The tasks of a merge, or the one of a baseline."""
        return self.alone() if self._loopback else self.adopt(self.merge(self.train()))
