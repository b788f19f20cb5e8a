"""The numpyarrayhelper as FEDn 0.4 and before has it: `helper = NumpyArrayHelper()`, `save_model`, `load_model`."""

from __future__ import annotations

from .helpers.plugins.numpyarrayhelper import Helper

__all__ = ["NumpyArrayHelper"]


class NumpyArrayHelper(Helper):
    """See the numpyarrayhelper."""
