"""Who has which run: one owner each, until it lets go or its process is gone."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from filelock import FileLock, Timeout

from manta_nb.errors import StoreError
from manta_nb.sdk.names import shorten
from manta_nb.store.wording import check_run_id, explained, is_run_id

__all__ = ["Claims", "FileClaims", "MemoryClaims"]

#: seconds; somebody who only looks whether a run is owned holds its lock for a moment
_PATIENCE: Final = 0.3
_MOST_BYTES: Final = 1000


class Claims(Protocol):
    """The owners of the runs of one store."""

    def claim(self, run_id: str) -> Callable[[], None]:
        """See `Store.claim`."""

    def owners(self) -> Mapping[str, str]:
        """Run → who has it, of all runs that somebody has."""

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """See `Store.ask_to_stop`."""

    def asked_to_stop(self, run_id: str) -> str | None:
        """See `Store.asked_to_stop`."""

    def forget(self, run_id: str) -> None:
        """The run is no more."""

    def close(self) -> None:
        """Let go of everything."""


class MemoryClaims:
    """The owners of runs that only this process can see."""

    def __init__(self) -> None:
        self._owned: set[str] = set()
        self._asked: dict[str, str] = {}
        self._lock = threading.Lock()

    def claim(self, run_id: str) -> Callable[[], None]:
        """See `Store.claim`."""
        check_run_id(run_id)
        with self._lock:
            if run_id in self._owned:
                raise _taken(run_id, _me())
            self._owned.add(run_id)
            self._asked.pop(run_id, None)
        return _once(lambda: self._owned.discard(run_id))

    def owners(self) -> Mapping[str, str]:
        """See `Claims`."""
        with self._lock:
            return dict.fromkeys(self._owned, _me())

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """See `Claims`."""
        if run_id not in self._owned:
            raise _unowned(run_id)
        self._asked[run_id] = reason

    def asked_to_stop(self, run_id: str) -> str | None:
        """See `Claims`."""
        return self._asked.pop(run_id, None)

    def forget(self, run_id: str) -> None:
        """See `Claims`."""

    def close(self) -> None:
        """See `Claims`."""
        self._owned.clear()


class FileClaims:
    """The owners of the runs in a folder: a lock of the system each, and beside it who has it, for messages.

    The system lets go of the lock when its process is gone. A child process never inherits it: descriptors are
    closed on exec, and `filelock` closes them in the child of a fork.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._releases: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()

    def claim(self, run_id: str) -> Callable[[], None]:
        """See `Store.claim`."""
        lock = self._file_lock(run_id)
        owner = self._owner_path(run_id)
        with explained(self._folder):
            try:
                lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
            except Timeout as error:
                raise _taken(run_id, _read_owner(owner) or "another process") from error
            try:
                self._asked_path(run_id).unlink(missing_ok=True)
                owner.write_text(
                    json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": time.time()}),
                    encoding="ascii",
                )
            except BaseException:
                lock.release()
                raise

        def release() -> None:
            with self._lock:
                self._releases.pop(run_id, None)
            with suppress(OSError):
                owner.unlink(missing_ok=True)
            lock.release()

        with self._lock:
            self._releases[run_id] = done = _once(release)
        return done

    def owners(self) -> Mapping[str, str]:
        """See `Claims`."""
        found = {}
        with suppress(OSError), os.scandir(self._folder) as entries:
            names = [entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")]
            found = {run_id: _read_owner(self._owner_path(run_id)) for run_id in filter(is_run_id, names)}
        return {run_id: owner for run_id, owner in found.items() if owner and self._is_locked(run_id)}

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """See `Claims`."""
        if not self._is_locked(check_run_id(run_id)):
            raise _unowned(run_id)
        path = self._asked_path(run_id)
        draft = path.with_suffix(".asked")
        with explained(self._folder):
            draft.write_text(shorten(reason, 200), encoding="utf-8")
            draft.replace(path)

    def asked_to_stop(self, run_id: str) -> str | None:
        """See `Claims`."""
        path = self._asked_path(run_id)
        try:
            with path.open("rb") as file:
                reason = file.read(_MOST_BYTES).decode("utf-8", "replace")
            path.unlink()
        except OSError:
            return None
        return "".join(char for char in reason if char.isprintable())

    def forget(self, run_id: str) -> None:
        """See `Claims`."""
        for path in (
            self._owner_path(run_id),
            self._asked_path(run_id),
            Path(self._file_lock(run_id).lock_file),
        ):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """See `Claims`."""
        for release in list(self._releases.values()):
            release()

    def _is_locked(self, run_id: str) -> bool:
        if run_id in self._releases:
            return True
        return _is_locked(self._file_lock(run_id).lock_file)

    def _file_lock(self, run_id: str) -> FileLock:
        # not bound to a thread: a run may be claimed by one and let go by another
        return FileLock(self._folder / f"{check_run_id(run_id)}.lock", thread_local=False)

    def _asked_path(self, run_id: str) -> Path:
        return self._folder / f"{check_run_id(run_id)}.stop"

    def _owner_path(self, run_id: str) -> Path:
        return self._folder / f"{check_run_id(run_id)}.json"


def _read_owner(path: Path) -> str:
    """`pid 4711 on HOST`, or "" where nobody has left a name. The file may hold anything."""
    try:
        with path.open("rb") as file:
            said: Any = json.loads(file.read(_MOST_BYTES))
    except OSError:
        return ""
    except (ValueError, RecursionError):
        return "another process"
    pid, host = (said.get("pid"), said.get("host")) if isinstance(said, dict) else (None, None)
    if type(pid) is not int or type(host) is not str:
        return "another process"
    return _named(pid, "".join(char for char in host if char.isascii() and char.isprintable()))


def _is_locked(path: str) -> bool:
    """Whether somebody has this lock; those who look do not disturb one another."""
    import fcntl  # noqa: PLC0415 - not on every system

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _me() -> str:
    return _named(os.getpid(), socket.gethostname())


def _named(pid: int, host: str) -> str:
    return f"pid {pid} on {shorten(host, 40)}"


def _taken(run_id: str, owner: str) -> StoreError:
    return StoreError(f"run {run_id[:8]} is in use by {owner}: stop it there, or end that process")


def _unowned(run_id: str) -> StoreError:
    return StoreError(f"run {run_id[:8]} is not running: there is nothing to stop")


def _once(action: Callable[[], None]) -> Callable[[], None]:
    """`action` the first time it is called, nothing after that."""
    left = [action]

    def call() -> None:
        with suppress(IndexError):
            left.pop()()

    return call
