"""The names that a file of server functions finds: numpy, random, typing, the logger, and the base class."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Tuple  # noqa: UP035 - the names that FEDn has here

import numpy as np

from ....common.log_config import logger
from .serverfunctionsbase import ServerFunctionsBase

__all__ = ["Dict", "List", "ServerFunctionsBase", "Tuple", "api_client", "logger", "np", "random"]


class _NoClient:
    """Stands for FEDn's `api_client`: there is no server to ask on the node where server functions run."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            f"api_client.{name}: manta_nb's server functions run on a node, which has no API to ask"
        )


api_client = _NoClient()
