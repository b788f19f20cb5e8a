"""`local.state`: what stays on a node, in versions, so that it is committed and rolled back with the iteration."""

from __future__ import annotations

from collections.abc import MutableMapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.codec import decode, encode

__all__ = ["NodeState", "state_file"]

#: versions that stay behind what the store has, so that another run can go on from there: at most so many, in so many
#: bytes, but always the latest two, as a store goes back by one where its latest iteration is damaged
DIGEST = 16
EARLIER, EARLIER_BYTES, ALWAYS = 64, 32 << 20, 2


class NodeState:
    """The state of one node in one turn of a run: read when first used, written where it changed.

    Versions are called `iteration-alias-attempt`; each is one file in the node's own folder, named by a digest of
    that, as an alias may hold what no file system takes.

    Args:
        folder: the versions of this node in this run.
        start: the version to begin with; None: there is none yet.
        version: what this turn's is called.
        kept: iterations that the store has: the versions that those left are needed to go on from there.
    """

    def __init__(self, folder: str | Path, start: str | None, version: str, kept: int) -> None:
        self._where = folder
        self._start = start
        self._version = version
        self._kept = kept
        self._values: dict[str, Any] | None = None
        self._before = b""

    @property
    def values(self) -> MutableMapping[str, Any]:
        """The state as a dict; what is changed in it is kept when the turn succeeds."""
        if self._values is None:
            if self._start is not None:
                self._before = _checked((self._folder / state_file(self._start)).read_bytes())
                # a copy: arrays in a state can be changed in place
                self._values = dict(decode(memoryview(bytearray(self._before)), writable=True))
            else:
                self._values = {}
                self._before = self._encoded()
        return self._values

    @property
    def _folder(self) -> Path:
        # made only where it is used: most turns have no state
        return Path(self._where)

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
        path = self._folder / state_file(self._version)
        draft = path.with_suffix(".new")
        draft.write_bytes(_digest(data) + data)
        draft.replace(path)
        self._tidy()
        return True

    def _tidy(self) -> None:
        """Keep the start, the versions that the store may come to ask for, and the latest of those before."""
        start = None if self._start is None else state_file(self._start)
        needed = min(self._kept, _iteration(self._version))
        files = [path for path in self._folder.glob("*.state") if _iteration(path.stem) < needed]
        sizes: dict[int, int] = {}
        for path in files:
            number = _iteration(path.stem)
            sizes[number] = sizes.get(number, 0) + path.stat().st_size
        newest = sorted(sizes, reverse=True)
        room = EARLIER_BYTES
        for place, number in enumerate(newest):
            room -= sizes[number]
            if place >= ALWAYS and (place >= EARLIER or room < 0):
                del newest[place:]
                break
        for path in files:
            if _iteration(path.stem) not in newest and path.name != start:
                path.unlink(missing_ok=True)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=DIGEST).digest()


def _checked(kept: bytes) -> bytes:
    digest, data = kept[:DIGEST], kept[DIGEST:]
    if digest != _digest(data):
        raise CorruptBytes("local.state is damaged on this node's disk: fork from an earlier iteration")
    return data


def _iteration(version: str) -> int:
    return int(version.partition("-")[0])


def state_file(version: str) -> str:
    """The name of the file that holds this version."""
    digest = blake2b(version.encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{_iteration(version)}-{digest.hexdigest()}.state"
