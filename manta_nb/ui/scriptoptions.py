"""From the options of a script that runs on nodes to what `manta_nb.swarm_learning.run` is asked for."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from manta_nb.swarm_learning.preparing import Wishes
from manta_nb.ui.asked import typed, wishes
from manta_nb.ui.grammar_swarm_learning import SCRIPT_OPTIONS

__all__ = ["wishes_of"]


def wishes_of(options: Namespace, **more: Any) -> Wishes:
    """What was typed, for `prepare`; what was not is left out: nodes in use are then kept as they are.

    Args:
        options: of the line.
        more: what stands for what was typed, such as `data` where that is a variable.
    """
    found = typed(options, SCRIPT_OPTIONS) | more
    if "env" in found:
        found["env"] = dict(found["env"])
    return wishes(Wishes, found)
