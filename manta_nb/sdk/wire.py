"""What the writer and the reader of encoded values agree on, so that whatever is written can be read.

The limits keep hostile bytes from costing more than 100 ms or much more memory than they have themselves.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALIGN", "MAGIC", "MAX_DEPTH", "MAX_HEADER", "is_crowded"]

#: starts every encoded value; the last byte is the version
MAGIC: Final = b"\x93MANTA\x00\x01"
#: memory of arrays starts at multiples of this, from the start of the value
ALIGN: Final = 64
#: containers inside one another
MAX_DEPTH: Final = 100
#: bytes of the header, which holds everything but arrays and long bytes and strings
MAX_HEADER: Final = 4 * 2**20

_MAX_ITEMS: Final = 2**18
_MAX_CONTAINERS: Final = 2**16


def is_crowded(header: str) -> bool:
    """Whether the text of a header has so many items that reading it would take long."""
    return header.count(",") > _MAX_ITEMS or header.count("[") + header.count("{") > _MAX_CONTAINERS
