"""`swarm` is a name that people give to modules of their own: where one is on the path, it is the one that is meant.

Notebooks and nodes have this folder first on their path. A training script that a node started, or that trains alone,
means Swarm Learning's.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

from ._link import DESCRIPTOR, LOOPBACK

__all__ = ["give_way"]


def give_way(name: str) -> None:
    """Put another module `name` from the path in this one's place, if somebody else has one; called while `name` loads.

    Args:
        name: what this package is imported as; nothing is done but for "swarm".
    """
    if name != "swarm" or DESCRIPTOR in os.environ or LOOPBACK in os.environ:
        return
    here = Path(__file__).resolve().parents[1]
    elsewhere = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    spec = importlib.machinery.PathFinder.find_spec(name, elsewhere)
    # A mere folder of that name has no loader that runs anything.
    if spec is None or spec.loader is None or spec.origin is None:
        return
    for own in [each for each in sys.modules if each.startswith(f"{name}.")]:
        del sys.modules[own]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
