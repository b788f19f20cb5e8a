"""A Python program as a command names it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PythonProgram"]


@dataclass(frozen=True)
class PythonProgram:
    """`python FLAGS SCRIPT ARGS` or `python FLAGS -m MODULE ARGS`.

    Example:
        >>> PythonProgram((), "entrypoint.py", None, ("train", "in.npz", "out.npz"))
    """

    #: of the interpreter: ("-u",)
    flags: tuple[str, ...]
    #: the script, as it is written; None where `module` is
    script: str | None
    #: what follows `-m`
    module: str | None
    #: what the program finds in sys.argv[1:]
    args: tuple[str, ...]
