"""The androidhelper where FEDn 0.7 and before had it."""

from __future__ import annotations

from ..helpers.plugins.androidhelper import Helper

__all__ = ["Helper"]
