"""The class of helpers where FEDn 0.7 and before had it."""

from __future__ import annotations

from ..helpers.helperbase import HelperBase

__all__ = ["HelperBase"]
