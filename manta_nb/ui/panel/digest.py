"""What names the text of a cell, here and in the page: `extension/src/cells/digest.ts` gives the same."""

from __future__ import annotations

import re
import zlib

__all__ = ["digest"]

#: lines of blanks only: IPython 9 empties them before a magic sees them, IPython 8 does not
_BLANK = re.compile(r"(^|\n)[ \t]+(?=\n|\Z)")


def digest(text: str) -> str:
    """`0a1b2c3d-42`: CRC-32 and length of the UTF-8; blanks on empty lines and newlines at the end do not count.

    `text` is what stands below the magic's line.

    >>> digest("x = 1\\n")
    '475ba176-5'
    """
    data = _BLANK.sub(r"\1", text).rstrip("\n").encode("utf-8", "replace")
    return f"{zlib.crc32(data):08x}-{len(data)}"
