"""The kerashelper as FEDn 0.4 and before has it: `helper = KerasHelper()`, `save_model`, `load_model`."""

from __future__ import annotations

from .helpers.plugins.kerashelper import Helper

__all__ = ["KerasHelper"]


class KerasHelper(Helper):
    """See the kerashelper."""
