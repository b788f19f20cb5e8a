"""The pytorchhelper as FEDn 0.4 and before has it: `helper = PytorchHelper()`, `save_model`, `load_model`."""

from __future__ import annotations

from .helpers.plugins.pytorchhelper import Helper

__all__ = ["PytorchHelper"]


class PytorchHelper(Helper):
    """See the pytorchhelper."""
