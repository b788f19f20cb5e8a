"""One program, as the process that it is forked in has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Order"]


@dataclass(frozen=True)
class Order:
    """What to run, and what the program finds when it begins."""

    #: sys.orig_argv, and what of it the program calls sys.argv
    command: list[str]
    arguments: list[str]
    #: a script, or what follows `-m`
    script: str | None
    module: str | None
    folder: str
    environment: dict[str, str]
    seed: int | None
    umask: int
    processors: list[int]
    #: resource → [soft limit, hard limit]
    limits: dict[str, list[int]]
    #: standard output and standard error
    output: list[int]
    #: the process that it is forked from, and the process group that it belongs to
    parent: int
    group: int
    #: where that process can be told something
    place: str

    @classmethod
    def of(cls, message: dict[str, Any], output: list[int], parent: int, group: int, place: str) -> Order:
        """What a caller sent, with what came along."""
        told = {name: value for name, value in message.items() if name != "op"}
        return cls(**told, output=output, parent=parent, group=group, place=place)
