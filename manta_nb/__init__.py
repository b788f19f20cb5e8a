"""A Jupyter-native environment for swarm (federated, decentralised) computing on Dask.

```
from manta_nb import Session

with Session(nodes=8, data="digits") as session:
    run = session.run(MySwarm(), iterations=20, wait=True)
    print(run.metrics)
```
In a notebook: `%load_ext manta_nb`, then `%manta --help`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from manta_nb import data, fedn
    from manta_nb.errors import MantaError, RunFailed
    from manta_nb.sdk.bytes import bytes_to_numpy, numpy_to_bytes
    from manta_nb.sdk.module import Module
    from manta_nb.sdk.swarm import Swarm
    from manta_nb.sdk.task import Task
    from manta_nb.session.pastruns import PastRuns
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.ui.defining.builder import builder

    #: all runs there are, looked up anew at each access
    runs: PastRuns

__all__ = [
    "MantaError",
    "Module",
    "Run",
    "RunFailed",
    "Session",
    "Swarm",
    "Task",
    "builder",
    "bytes_to_numpy",
    "data",
    "fedn",
    "load_ipython_extension",
    "numpy_to_bytes",
    "runs",
    "unload_ipython_extension",
]

__version__ = "0.1.0"

#: public name → where it lives; loaded when first asked for, so that `import manta_nb` stays light
_HOMES = {
    "MantaError": "manta_nb.errors",
    "Module": "manta_nb.sdk.module",
    "Run": "manta_nb.session.run",
    "RunFailed": "manta_nb.errors",
    "Session": "manta_nb.session.session",
    "Swarm": "manta_nb.sdk.swarm",
    "Task": "manta_nb.sdk.task",
    "builder": "manta_nb.ui.defining.builder",
    "bytes_to_numpy": "manta_nb.sdk.bytes",
    "numpy_to_bytes": "manta_nb.sdk.bytes",
}


def __getattr__(name: str) -> Any:
    if name in ("data", "fedn"):
        return import_module(f"manta_nb.{name}")
    if name == "runs":
        # where the magics are loaded, the runs of this kernel are among them
        if "manta_nb.ui.extension" in sys.modules:
            return import_module("manta_nb.ui.history").runs()
        return import_module("manta_nb.session.pastopening").open_past()
    if name not in _HOMES:
        raise AttributeError(f"module 'manta_nb' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext manta_nb`."""
    import_module("manta_nb.ui.extension").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext manta_nb`."""
    import_module("manta_nb.ui.extension").unload(shell)
