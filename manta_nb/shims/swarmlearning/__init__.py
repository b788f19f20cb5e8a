"""HPE Swarm Learning's import package since 1.0, as scripts see it: `swarmlearning.pyt` and `swarmlearning.tf`."""

from __future__ import annotations

from pathlib import Path

# What both families share stands in `swarm`, beside this folder. A script's own folder may have a `swarm` of its own,
# which comes first on the path; this way nobody asks the path.
__path__ = [*__path__, str(Path(__file__).resolve().parents[1] / "swarm")]

#: the release whose names are here
__version__ = "2.3.0"

__all__ = ["__version__"]
