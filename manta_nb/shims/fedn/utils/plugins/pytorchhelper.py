"""The pytorchhelper where FEDn 0.7 and before had it."""

from __future__ import annotations

from ..helpers.plugins.pytorchhelper import Helper

__all__ = ["Helper"]
