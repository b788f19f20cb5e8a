"""A Jupyter-native environment for swarm (federated, decentralised) computing on Dask."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

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
    "bytes_to_numpy": "manta_nb.sdk.bytes",
    "data": "manta_nb",
    "numpy_to_bytes": "manta_nb.sdk.bytes",
}

__all__ = sorted([*_HOMES, "load_ipython_extension", "unload_ipython_extension"])


def __getattr__(name: str) -> Any:
    if name == "data":
        return import_module("manta_nb.data")
    if name not in _HOMES:
        raise AttributeError(f"module 'manta_nb' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext manta_nb`."""
    import_module("manta_nb.ui.extension").load(shell, lambda: import_module("manta_nb.cli.doctor").report())


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext manta_nb`."""
    import_module("manta_nb.ui.extension").unload(shell)
