"""What every Python that runs a program of a package does first; then what it would have done without this file."""

import os

import _manta_nb_site  # type: ignore[import-not-found]

_manta_nb_site.begin(os.environ.get("MANTA_NB_SEED", ""), bygone="MANTA_NB_SWARM_FD" in os.environ)
_manta_nb_site.run_next(os.path.dirname(os.path.abspath(__file__)))
