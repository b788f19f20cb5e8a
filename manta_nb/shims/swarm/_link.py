"""The script's end of the line to its node: what it says, and what it waits for."""

from __future__ import annotations

import os
import socket
import weakref
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._errors import SwarmError
from ._wire import WireError, receive, send

__all__ = ["DESCRIPTOR", "LOOPBACK", "Link", "Merged", "is_bypassed"]

#: the variable with the number of the inherited descriptor; "taken by PID" once somebody speaks on it
DESCRIPTOR = "MANTA_NB_SWARM_FD"
#: the variable that has a script train alone
LOOPBACK = "SWARM_LOOPBACK"
_TAKEN = "taken by "


@dataclass(frozen=True)
class Merged:
    """What the node says after a merge.

    Attributes:
        round: number of the merge, from 1.
        over: whether it was the last one.
        interval: batches until the next one; 0: as before.
        adopted: whether this node was behind, and its own work was dropped.
        arrays: the merged model by name, read-only; {}: nobody contributed.
    """

    round: int
    over: bool
    interval: int
    adopted: bool
    arrays: Mapping[str, np.ndarray]


def is_bypassed(env: Mapping[str, str]) -> bool:
    """Whether `SWARM_LOOPBACK` says that this script trains alone."""
    return env.get(LOOPBACK, "").strip().lower() in ("true", "1", "yes")


class Link:
    """The connection to the node; only the process that took it over may speak on it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock: socket.socket = sock
        self._pid = os.getpid()
        # A data loader's workers are forks of the script: a copy they kept would hide from the node that it ended.
        weakref.finalize(self, sock.close)
        mine = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _close(mine()))

    @classmethod
    def of(cls, env: MutableMapping[str, str]) -> Link:
        """Take over the descriptor that `env` names, and mark it there as taken.

        Raises:
            SwarmError: there is none, it is no socket, or another callback has it.
        """
        text = env.get(DESCRIPTOR, "")
        if not text:
            raise SwarmError(
                "there is no swarm here: run this program with `manta-nb swarm-learning run SCRIPT.py`, "
                f"or set {LOOPBACK}=true to train alone"
            )
        if text == f"{_TAKEN}{os.getpid()}":
            raise SwarmError("this program has a SwarmCallback already: one a program can speak to its node")
        if text.startswith(_TAKEN):
            raise SwarmError(
                "SwarmCallback belongs to the process that the node started, this is a child of it"
            )
        sock = _socket(text)
        env[DESCRIPTOR] = f"{_TAKEN}{os.getpid()}"
        return cls(sock)

    @classmethod
    def or_none(cls, env: MutableMapping[str, str]) -> Link | None:
        """The same, where there is nobody to speak to None: for a script that trains alone."""
        try:
            return cls.of(env) if env.get(DESCRIPTOR) else None
        except SwarmError:
            return None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something that needs no answer."""
        self._send(message, None)

    def check_in(self, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Merged:
        """Hand in a model, and wait until it is merged, which takes as long as the slowest peer."""
        self._send({"op": "check_in", **message}, arrays)
        return self.next_merge()

    def next_merge(self) -> Merged:
        """Wait for a merge without handing anything in.

        Raises:
            SwarmError: the node refused, went away, or said what cannot be understood.
        """
        self._own()
        try:
            header, arrays = receive(self._sock)
        except (EOFError, OSError) as error:
            raise _gone() from error
        except WireError as error:
            raise SwarmError(f"the node sent {error}") from error
        if header["op"] == "refused":
            raise SwarmError(str(header.get("message", "the node refused")))
        return _merged(header, arrays)

    def close(self) -> None:
        """Hang up: the node sees that nobody speaks here any more."""
        self._sock.close()

    def _send(self, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None) -> None:
        self._own()
        try:
            send(self._sock, message, arrays)
        except (EOFError, OSError) as error:
            raise _gone() from error
        except WireError as error:
            raise SwarmError(f"this model cannot be merged: {error}") from error

    def _own(self) -> None:
        if os.getpid() != self._pid:
            raise SwarmError(
                "only the process that made the SwarmCallback may call it, this is a child of it"
            )


def _socket(text: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=int(text))
        if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
            sock.detach()
            raise ValueError(text)
    except (ValueError, OverflowError, OSError) as error:
        raise SwarmError(
            f"{DESCRIPTOR}={text[:20]} is no connection to a node: run this program with "
            "`manta-nb swarm-learning run SCRIPT.py`"
        ) from error
    sock.set_inheritable(False)
    # whatever socket.setdefaulttimeout a script calls: a merge takes as long as it takes
    sock.settimeout(None)
    return sock


def _merged(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Merged:
    number, interval = header.get("round"), header.get("interval", 0)
    over, adopted = header.get("over"), header.get("adopted", False)
    flags = isinstance(over, bool) and isinstance(adopted, bool)
    if (
        header["op"] == "merged"
        and flags
        and isinstance(number, int)
        and isinstance(interval, int)
        and interval >= 0
    ):
        return Merged(number, bool(over), interval, bool(adopted), arrays)
    raise SwarmError(f"the node answered with {str(header['op'])[:40]!r}, which is no merge")


def _gone() -> SwarmError:
    return SwarmError("the node of this program has gone: its run has ended, or failed")


def _close(link: Link | None) -> None:
    if link is not None:
        link.close()
