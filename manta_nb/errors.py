"""The errors of manta_nb: what went wrong, which thing, and what to type.

```
MantaError                   a mistake of the person at the keyboard: shown as one line in a notebook
├── UsageError               a magic, an option or a command line that cannot be read
├── DefinitionError          a module, swarm or graph that could not run as written
├── ValueRefused             a value that must not or cannot travel        (also a TypeError)
├── CorruptBytes             malformed or hostile bytes                    (also a ValueError)
├── MissingTag               a Global or Result that is not there          (also a KeyError)
├── DataError                a dataset that is unknown, unreadable or too small
├── NodeError                a node that is unknown, not eligible or gone
├── PackageError             a compute package that cannot be read, or a program of it that failed
├── StoreError               a store that cannot be read or written, or has no such run
└── RunFailed                a run that ended in `failed`
```
Anything that is not a `MantaError` is a bug of ours or of the user's own code and keeps its full traceback.
"""

from __future__ import annotations

__all__ = [
    "CorruptBytes",
    "DataError",
    "DefinitionError",
    "MantaError",
    "MissingTag",
    "NodeError",
    "PackageError",
    "RunFailed",
    "StoreError",
    "UsageError",
    "ValueRefused",
]


class MantaError(Exception):
    """A mistake that one line can explain; the base of every error manta_nb raises on purpose."""

    def __str__(self) -> str:
        # KeyError, a base of MissingTag, would print the repr of the message.
        return str(self.args[0]) if self.args else ""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(MantaError):
    """A magic, an option or a command line that cannot be read."""


class DefinitionError(MantaError):
    """A module, a swarm or a graph that could not run as it is written."""


class ValueRefused(MantaError, TypeError):
    """A value that cannot travel between nodes; the message names its type and its path."""


class CorruptBytes(MantaError, ValueError):
    """Bytes that are malformed, truncated or hostile."""


class MissingTag(MantaError, KeyError):
    """A Global or a Result was asked for that nobody wrote, or whose value was dropped."""


class DataError(MantaError):
    """A dataset is unknown, cannot be read, or is too small for the nodes."""


class NodeError(MantaError):
    """A node is unknown, not eligible for a task, or gone."""


class PackageError(MantaError):
    """A compute package cannot be read, is not as it says, or a program of it failed."""


class StoreError(MantaError):
    """A store cannot be read or written (disk full, locked, damaged), has no such run, or somebody else has it."""


class RunFailed(MantaError):
    """A run ended in `failed`; the message names the node, the task, the line and what it printed last."""
