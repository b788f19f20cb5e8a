"""`APIClient`, which talks to the nodes of the notebook instead of a server; it comes from manta_nb when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["APIClient"]  # noqa: F822 - made when it is asked for


def __getattr__(name: str) -> Any:
    if name != "APIClient":
        raise AttributeError(f"module {__name__!r} of manta_nb has no {name!r}")
    try:
        return import_module("manta_nb.fedn").APIClient
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "manta_nb":
            raise
        raise ImportError(
            "fedn.APIClient talks to the nodes of manta_nb, which this Python does not have: "
            "use it in the notebook, or install manta-nb here"
        ) from error
