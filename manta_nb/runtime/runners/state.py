"""`local.state`: what stays on a node, in versions, so that it is committed and rolled back with the iteration."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from manta_nb.sdk.codec import decode, encode

__all__ = ["NodeState"]


class NodeState:
    """The state of one node in one turn: read when first used, written where it changed.

    Versions are called `iteration-alias-attempt`; each is one file in the node's own folder.
    """

    def __init__(self, home: Path, run_id: str, start: str | None, version: str) -> None:
        self._home = home
        self._run_id = run_id
        self._start = start
        self._version = version
        self._values: dict[str, Any] | None = None
        self._before = b""

    @property
    def _folder(self) -> Path:
        return self._home / "state" / self._run_id

    @property
    def values(self) -> MutableMapping[str, Any]:
        """The state as a dict; what is changed in it is kept when the turn succeeds."""
        if self._values is None:
            if self._start is not None:
                self._before = (self._folder / f"{self._start}.state").read_bytes()
                # a copy: arrays in a state can be changed in place
                self._values = dict(decode(memoryview(bytearray(self._before)), writable=True))
            else:
                self._values = {}
        return self._values

    def save(self) -> bool:
        """Write a new version if the turn changed anything."""
        if self._values is None:
            return False
        data = b"".join(encode(self._values, what="local.state").buffers)
        if data == self._before:
            return False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f"{self._version}.new"
        draft.write_bytes(data)
        draft.replace(self._folder / f"{self._version}.state")
        self._tidy()
        return True

    def _tidy(self) -> None:
        """Keep this iteration's versions and the newest earlier ones: a rollback needs those."""
        current = _iteration(self._version)
        files = [path for path in self._folder.glob("*.state") if _iteration(path.stem) < current]
        newest = max((_iteration(path.stem) for path in files), default=-1)
        for path in files:
            if _iteration(path.stem) < newest:
                path.unlink(missing_ok=True)


def _iteration(version: str) -> int:
    return int(version.partition("-")[0])
