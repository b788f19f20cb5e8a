"""HPE Swarm Learning's classic import package, as training scripts see it.

`from swarm import SwarmCallback` works for Keras and for PyTorch, needs the standard library and numpy only, and
imports neither framework before it is used. The package `swarmlearning` beside this one has the later names of the
same things.
"""

from __future__ import annotations

from ._classic import SwarmCallback
from ._errors import SwarmError
from ._way import give_way

#: the release whose names are here
__version__ = "0.3.0"

__all__ = ["SwarmCallback", "SwarmError", "__version__"]

give_way(__name__)
