"""`from manta.light.results import Results`."""

from __future__ import annotations

from manta_nb.sdk.world import ResultMethod, Results

__all__ = ["ResultMethod", "Results"]
