"""What the code of a task imports from `manta.light`."""

from __future__ import annotations

from manta_nb.sdk.bytes import bytes_to_dict, bytes_to_numpy, dict_to_bytes, numpy_to_bytes
from manta_nb.sdk.local import Local
from manta_nb.sdk.task import Task
from manta_nb.sdk.torchmodel import bytes_to_torchmodel, torchmodel_to_bytes
from manta_nb.sdk.world import Globals, Results, World

__all__ = [
    "Globals",
    "Local",
    "Results",
    "Task",
    "World",
    "bytes_to_dict",
    "bytes_to_numpy",
    "bytes_to_torchmodel",
    "dict_to_bytes",
    "numpy_to_bytes",
    "torchmodel_to_bytes",
]
