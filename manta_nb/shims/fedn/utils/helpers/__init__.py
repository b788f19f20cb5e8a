"""Helpers: how models are written to files, read, and computed with.

Until FEDn 0.7 this was one module, so its names are here, too: `from fedn.utils.helpers import get_helper`.
"""

from __future__ import annotations

from .helperbase import HelperBase
from .helpers import get_helper, load_metadata, save_metadata, save_metrics

__all__ = ["HelperBase", "get_helper", "load_metadata", "save_metadata", "save_metrics"]
