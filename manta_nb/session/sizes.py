"""Sizes in words: `parse_bytes("2 GB")`."""

from __future__ import annotations

import re

from manta_nb.errors import UsageError

__all__ = ["parse_bytes"]

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
MOST = 2**62


def parse_bytes(size: str | float | None) -> int | None:
    """Bytes from a number or a text such as "512 MB"; None stays None.

    >>> parse_bytes("2 GB")
    2000000000
    """
    if size is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?(?:e\+?\d+)?)\s*([a-zA-Z]*)\s*", str(size)[:40])
    unit = UNITS.get(match[2].upper()) if match is not None else None
    number = float(match[1]) if match is not None else 0.0
    if unit is None or not 1 <= number * unit < MOST:
        raise UsageError(f"a size is a number with B, kB, MB or GB, such as '2 GB'; got {str(size)[:40]!r}")
    return int(number * unit)
