"""FEDn's `APIClient` for the nodes of a notebook or script, with the names of FEDn 0.8 and those of 0.9 and later."""

from __future__ import annotations

from manta_nb.fedn.api.client import APIClient

__all__ = ["APIClient"]
