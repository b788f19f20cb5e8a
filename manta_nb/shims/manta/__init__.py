"""What programs written for Manta import: the same names, running on manta_nb."""

from __future__ import annotations

from manta_nb.sdk.bytes import bytes_to_dict, dict_to_bytes
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import Swarm

__all__ = ["Module", "Swarm", "bytes_to_dict", "dict_to_bytes"]
