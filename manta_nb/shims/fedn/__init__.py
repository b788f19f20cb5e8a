"""FEDn's import package as compute packages see it: helpers, metadata, metrics, logger, server functions.

It needs the standard library and numpy only, and runs where manta_nb is not installed. `APIClient` is the exception: it
belongs to the notebook and comes from manta_nb.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._guide import show_the_way

#: the release whose names are here
__version__ = "0.33.0"

__all__ = ["APIClient", "__version__"]

show_the_way(__name__)


def __getattr__(name: str) -> Any:
    if name == "APIClient":
        return import_module(".network.api.client", __name__).APIClient
    raise AttributeError(f"module {__name__!r} of manta_nb has no {name!r}")
