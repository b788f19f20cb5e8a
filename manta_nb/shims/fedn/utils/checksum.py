"""Check sums of packages."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

__all__ = ["sha"]


def sha(fname: str | os.PathLike[str]) -> str:
    """The sha256 of a file, in hexadecimal."""
    with Path(fname).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
