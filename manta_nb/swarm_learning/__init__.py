"""Scripts written for HPE Swarm Learning on the nodes of a session.

```
from manta_nb import swarm_learning

run = swarm_learning.run("train.py", nodes=3, data="digits", min_peers=2, env={"MAX_EPOCHS": 5})
run.wait()
run.merges                       # every merge: who took part, with which weight
run.compare(local=True, central=True)
```
`SWARM_LEARNING.md` says what a script finds, and where we differ from HPE.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manta_nb.swarm_learning.launching import run
    from manta_nb.swarm_learning.outcome import merges, nodes
    from manta_nb.swarm_learning.scriptrun import ScriptRun

__all__ = ["ScriptRun", "merges", "nodes", "run"]

#: public name → where it lives; loaded when first asked for
_HOMES = {
    "ScriptRun": "manta_nb.swarm_learning.scriptrun",
    "merges": "manta_nb.swarm_learning.outcome",
    "nodes": "manta_nb.swarm_learning.outcome",
    "run": "manta_nb.swarm_learning.launching",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'manta_nb.swarm_learning' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
