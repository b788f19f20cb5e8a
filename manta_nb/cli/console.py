"""Where a command writes: what was asked for on one stream, what it has to say meanwhile on the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

__all__ = ["Console"]


@dataclass(frozen=True)
class Console:
    """Two streams. `data` is what a pipe reads, `talk` what a person reads while it is made.

    Example:
        >>> console = Console(sys.stdout, sys.stderr)
        >>> console.say("starting 4 nodes …")
        >>> console.give('{"run_id": "3f2a9c01"}')
    """

    data: TextIO
    talk: TextIO

    def give(self, text: str) -> None:
        """Write what the command was asked for."""
        self.data.write(f"{text}\n")
        self.data.flush()

    def say(self, line: str) -> None:
        """Write a line about what goes on."""
        self.talk.write(f"{line}\n")
        self.talk.flush()

    def rewrite(self, line: str) -> None:
        """Write over the line that is being rewritten; "" takes it away."""
        # One column less than the terminal has: a full line would wrap and could not be written over.
        self.talk.write(f"\r{line[: self._columns() - 1]}\x1b[K")
        self.talk.flush()

    @property
    def rewrites(self) -> bool:
        """Whether a line can be written over: a terminal, not a file."""
        return self.talk.isatty()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.talk.fileno()).columns or 80
        except OSError:
            return 80
