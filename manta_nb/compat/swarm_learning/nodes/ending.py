"""How a script ended that ended with an error: its exit code, the line of it, and its last words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from manta_nb.compat.processes.ending import killed_by, last_words
from manta_nb.sdk.parse import one_line

__all__ = ["how_it_ended"]

_FRAME = re.compile(r'\s*File "(?P<path>[^"]+)", line (?P<line>\d+)')
#: where the script's folder is, wherever it is
_FOLDER = "swarmml/model/"


def how_it_ended(exit_code: int, tail: Sequence[str]) -> str:
    """One line for people.

    Args:
        exit_code: of the process; below 0: the signal that ended it.
        tail: the last lines that it printed.

    >>> how_it_ended(1, ['  File "/n/swarmml/model/train.py", line 4, in <module>', "ValueError: no data"])
    'exit code 1: train.py, line 4: ValueError: no data'
    """
    words = [killed_by(exit_code), _place(tail), last_words(tail)]
    return one_line(f"exit code {exit_code}: {': '.join(filter(None, words)) or 'it printed nothing'}")


def _place(tail: Sequence[str]) -> str:
    """The last line of the script's own files that its traceback names: `train.py, line 4`; "" for none."""
    frames = [found for line in tail if (found := _FRAME.match(line)) and _FOLDER in found["path"]]
    if not frames:
        return ""
    return f"{PurePosixPath(frames[-1]['path'].rpartition(_FOLDER)[2])}, line {frames[-1]['line']}"
