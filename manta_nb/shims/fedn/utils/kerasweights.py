"""The kerashelper as FEDn 0.4 and before has it: `helper = KerasWeightsHelper()`, `save_model`, `load_model`."""

from __future__ import annotations

from .helpers.plugins.kerashelper import Helper

__all__ = ["KerasWeightsHelper"]


class KerasWeightsHelper(Helper):
    """See the kerashelper."""
