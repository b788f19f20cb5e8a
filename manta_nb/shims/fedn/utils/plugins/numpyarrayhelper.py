"""The numpyarrayhelper where FEDn 0.7 and before had it."""

from __future__ import annotations

from ..helpers.plugins.numpyarrayhelper import Helper

__all__ = ["Helper"]
