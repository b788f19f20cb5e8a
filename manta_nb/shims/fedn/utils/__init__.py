"""FEDn's utilities: helpers, check sums, parameters."""

from __future__ import annotations

import platform

PYTHON_VERSION = platform.python_version()
