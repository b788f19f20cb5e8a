"""Options that all programs of other systems have: their nodes and data, and what becomes of the run."""

from __future__ import annotations

from dataclasses import replace

from manta_nb.ui.grammar import NODE_VERBS
from manta_nb.ui.parser import Option

__all__ = ["KEEP", "NODE_OPTIONS", "WAIT"]

_START = {
    option.name: option for verb in NODE_VERBS if verb.name == "%manta start" for option in verb.options
}

#: how nodes get data: as for `%manta start`, but where programs find it
NODE_OPTIONS = (
    replace(_START["--nodes"], default_text="those of --data FOLDER, else of --node-env, else 4"),
    *(option for name, option in _START.items() if name not in ("--nodes", "--seed", "--data")),
)

WAIT = Option("--wait", "wait for the end, and raise if the run failed")
KEEP = Option("--keep", "let a run of the same name go on beside this one")
