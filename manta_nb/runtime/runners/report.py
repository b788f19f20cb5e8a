"""How a task's exception is told: type and message in one line, the line of whose code, the user's frames."""

from __future__ import annotations

import traceback
from collections.abc import Collection

__all__ = ["explain"]

LONGEST_MESSAGE = 2000
LONGEST_TRACEBACK = 8000
#: torch's words for it
OUT_OF_MEMORY = "can't allocate memory"


def explain(error: BaseException, files: Collection[str]) -> dict[str, str]:
    """`message`, `where` and `traceback` of `error`; `files` are the names under which the user's code was compiled.

    Values are left out: only source lines are quoted, so that no private data leaves in a traceback.
    """
    if isinstance(error, MemoryError):
        # what the task holds is in the way of telling about it
        traceback.clear_frames(error.__traceback__)
    frames = traceback.extract_tb(error.__traceback__, limit=-60)
    own = [index for index, frame in enumerate(frames) if frame.filename in files]
    shown = frames[own[0] :] if own else frames
    where = ""
    if own:
        last = frames[own[-1]]
        where = f"{last.filename}, line {last.lineno}"
    if isinstance(error, SyntaxError) and error.filename in files:
        where = f"{error.filename}, line {error.lineno}"
    return {
        "message": _message(error),
        "where": where,
        "traceback": "".join(traceback.format_list(shown))[-LONGEST_TRACEBACK:],
    }


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - a user's exception may not even be printable
        text = "(its message cannot be printed)"
    name = type(error).__name__
    if isinstance(error, SystemExit):
        text = f"the task called sys.exit({text})"
    if isinstance(error, MemoryError) or OUT_OF_MEMORY in text[:LONGEST_MESSAGE]:
        text = f"over the node's memory limit, see Session(memory_limit=...). {text}".strip()
    line = f"{name}: {text[: LONGEST_MESSAGE + 1]}" if text else name
    line = line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + " … (shortened)"
    # a lone surrogate, as in the name of a file, cannot be shown
    return line.encode("utf-8", "replace").decode()
