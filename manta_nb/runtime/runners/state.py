"""`local.state`: what stays on a node, in versions, so that it is committed and rolled back with the iteration."""

from __future__ import annotations

from collections.abc import MutableMapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from manta_nb.sdk.codec import decode, encode

__all__ = ["NodeState"]


class NodeState:
    """The state of one node in one turn: read when first used, written where it changed.

    Versions are called `iteration-alias-attempt`; each is one file in the node's own folder, named by a digest of
    that, as an alias may hold what no file system takes.
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
                self._before = (self._folder / _file(self._start)).read_bytes()
                # a copy: arrays in a state can be changed in place
                self._values = dict(decode(memoryview(bytearray(self._before)), writable=True))
            else:
                self._values = {}
                self._before = self._encoded()
        return self._values

    def _encoded(self) -> bytes:
        return b"".join(encode(self._values, what="local.state").buffers)

    def save(self) -> bool:
        """Write a new version if the turn changed anything."""
        if self._values is None:
            return False
        data = self._encoded()
        if data == self._before:
            return False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / _file(self._version)
        draft = path.with_suffix(".new")
        draft.write_bytes(data)
        draft.replace(path)
        self._tidy()
        return True

    def _tidy(self) -> None:
        """Keep this iteration's versions, the newest earlier ones and the start: a rollback needs those."""
        current = _iteration(self._version)
        start = None if self._start is None else _file(self._start)
        files = [path for path in self._folder.glob("*.state") if _iteration(path.stem) < current]
        newest = max((_iteration(path.stem) for path in files), default=-1)
        for path in files:
            if _iteration(path.stem) < newest and path.name != start:
                path.unlink(missing_ok=True)


def _iteration(version: str) -> int:
    return int(version.partition("-")[0])


def _file(version: str) -> str:
    digest = blake2b(version.encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{_iteration(version)}-{digest.hexdigest()}.state"
