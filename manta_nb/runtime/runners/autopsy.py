"""What can be said of a child that died: where its code was, and what ended it."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

__all__ = ["crash_site", "how_it_ended"]

#: a line of the crash report that `faulthandler` prints
CRASH_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in ')
LIBRARY = re.compile(r"site-packages|lib/python|manta_nb/|^<")


def crash_site(lines: Sequence[str]) -> str:
    """Where in the user's code a process crashed, from what `faulthandler` printed; "" if it did not."""
    for line in lines:
        match = CRASH_LINE.search(line)
        if match is not None and not LIBRARY.search(match["file"]):
            return f"{match['file']}, line {match['line']}"
    return ""


def how_it_ended(code: int) -> str:
    """The exit code of a process, or minus the signal that ended it, in words."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.strsignal(-code) if -code in {member.value for member in signal.Signals} else None
    return f"its process died with signal {-code} ({(name or 'unknown').lower()})"
