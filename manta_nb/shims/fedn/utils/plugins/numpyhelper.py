"""The numpyhelper where FEDn 0.7 and before had it."""

from __future__ import annotations

from ..helpers.plugins.numpyhelper import Helper

__all__ = ["Helper"]
