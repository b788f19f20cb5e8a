"""Where callers find the process that their programs are forked from: one on a host for programs of one kind.

It belongs to no caller: the first that needs it starts it, and it ends with the last process that used it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.programs.warm.inside.serving import WAITING
from manta_nb.compat.fedn.programs.warm.inside.wanted import EARLY
from manta_nb.compat.fedn.programs.warm.inside.wire import Gone, owner
from manta_nb.compat.processes.environment import SEED_VARIABLE

__all__ = ["Kind", "address", "meet", "place_for"]

_INSIDE = Path(__file__).resolve().parent / "inside"
#: how often a meeting place is made
_TRIES = 10
#: characters of a path that a socket's address takes
_LONGEST_ADDRESS = 100


@dataclass(frozen=True)
class Kind:
    """What programs that are forked from one process have in common."""

    interpreter: str
    flags: tuple[str, ...]
    environment: Mapping[str, str]
    #: folders whose modules may be kept, besides installed ones
    roots: tuple[str, ...]
    #: whether nothing in their environments differs, rather than nothing that is read early
    exact: bool = False

    def name(self) -> str:
        """The same for all programs of this kind, and for no other."""
        early = {
            name: value
            for name, value in self.environment.items()
            if name != SEED_VARIABLE and (self.exact or name.startswith(EARLY))
        }
        told = json.dumps([self.interpreter, self.flags, self.roots, self.exact, sorted(early.items())])
        return hashlib.sha256(told.encode()).hexdigest()[:24]


def place_for(name: str) -> Path:
    """A meeting place on this machine for all processes of this user that know `name`, such as the id of a run.

    Example:
        >>> place_for("run-7")
        PosixPath('/tmp/manta-nb-warm-1000-f0e4…')
    """
    told = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"manta-nb-warm-{os.getuid()}-{told}"


def meet(folder: Path, kind: Kind, start_in: Path) -> socket.socket:
    """A connection to the process for programs of this `kind`, which is started where there is none.

    Args:
        folder: the meeting place of the processes that share it; made where it is missing, for this user only.
        kind: what its programs have in common.
        start_in: its working directory, where it has to be started.

    Raises:
        Gone: it could not be started.
    """
    for _ in range(_TRIES):
        # who ends takes the folder away, if nothing else is in it
        with suppress(FileNotFoundError):
            return _meet(folder, kind, start_in)
    raise Gone(f"{folder} is taken away again and again")


def _meet(folder: Path, kind: Kind, start_in: Path) -> socket.socket:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise Gone(f"{folder} is not a folder of this user alone")
        name = kind.name()
        with address(folder, name) as place, _locked(folder / f"{name}.lock"):
            return _connect(place) or _start(folder / name, place, kind, start_in)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Gone(str(error)) from error


def _connect(address: str) -> socket.socket | None:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(address)
        if owner(sock)[1] != os.getuid():
            raise Gone(f"{address} belongs to somebody else")
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise
    return sock


def _start(place: Path, address: str, kind: Kind, start_in: Path) -> socket.socket:
    place.unlink(missing_ok=True)
    output = os.memfd_create("manta-nb-warm")
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(WAITING)
            state = {
                "listener": listener.fileno(),
                "output": output,
                "place": str(place),
                "roots": kind.roots,
                "member": os.getpid(),
                "avoid": _avoided(place),
            }
            _launch(kind, state, start_in)
    finally:
        os.close(output)
    sock = _connect(address)
    if sock is None:
        raise Gone(f"{kind.interpreter} does not listen")
    return sock


def _avoided(place: Path) -> dict[str, str]:
    """Module → why it is not to be kept, as the process that was there before has left it."""
    try:
        told = json.loads(Path(f"{place}.avoid").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(why) for name, why in told.items()} if isinstance(told, dict) else {}


def _launch(kind: Kind, state: dict[str, Any], start_in: Path) -> None:
    """Start the process, which comes from one that ends at once: nobody has to wait for it later."""
    try:
        started = subprocess.run(
            [kind.interpreter, *kind.flags, str(_INSIDE), json.dumps(state)],
            env={name: value for name, value in kind.environment.items() if name != SEED_VARIABLE},
            cwd=start_in,
            stdin=subprocess.DEVNULL,
            stdout=state["output"],
            stderr=state["output"],
            pass_fds=(state["listener"], state["output"]),
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise Gone(f"{kind.interpreter} does not start: {error.strerror}") from error
    if started.returncode:
        said = os.pread(state["output"], 10_000, 0).decode("utf-8", "replace").strip().splitlines()
        raise Gone(said[-1] if said else f"{kind.interpreter} ended with {started.returncode}")


@contextmanager
def address(folder: Path, name: str) -> Iterator[str]:
    """An address of any path: a socket's own takes 107 bytes."""
    plain = str(folder / name)
    if len(os.fsencode(plain)) <= _LONGEST_ADDRESS:
        yield plain
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One caller at a time, and none at all where it is killed in the middle."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # who ends takes the file away
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)
