"""The script that starts nodes: each of their processes reads it, so it has to stand that."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

from manta_nb.errors import UsageError
from manta_nb.sdk.parse import one_line

__all__ = ["check_script"]

#: what a script holds that knows whether it is the one that was started
_GUARDS = ("__main__", "parent_process")


def check_script() -> None:
    """Refuse to start processes from a script that they could not read, or that would start nodes in each.

    `multiprocessing` makes each new process read the file that `__main__` is. Notebooks and prompts have none.

    Raises:
        UsageError: the script is no file, is not Python (an `.ipy`), or nothing keeps it from starting nodes again.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or getattr(main, "__spec__", None) is not None:
        return
    if file == "<stdin>":
        raise UsageError(
            "nodes cannot start from a script on stdin, as each node's process reads it: save it as a .py"
        )
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return
    name = Path(file).name
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        raise UsageError(
            one_line(
                f"{name} is not plain Python, and each node's process reads the script: use a notebook, or a .py"
            )
        ) from None
    line = _line_of(vars(main))
    if line is not None and not any(guard in text for guard in _GUARDS):
        raise UsageError(
            one_line(
                f"{name}, line {line}: each node's process reads this script, and would start nodes again: "
                'put what it does under if __name__ == "__main__":'
            )
        )


def _line_of(namespace: dict[str, object]) -> int | None:
    """The line of the module with this namespace that is being executed."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return None
