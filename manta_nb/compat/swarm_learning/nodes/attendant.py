"""`Attendant`: looks after the script of one node while it runs, over all iterations of a run."""

from __future__ import annotations

import os
import selectors
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from manta_nb.compat.processes.pump import LAST_LINES, Emit, Lines
from manta_nb.compat.processes.running import NotStartedError, Running
from manta_nb.errors import PackageError
from manta_nb.sdk.parse import one_line
from manta_nb.shims.swarm._wire import WireError, receive, send

__all__ = ["Attendant", "CheckIn", "Loaded"]

#: tells the script which descriptor leads here
VARIABLE = "MANTA_NB_SWARM_FD"
#: seconds between two looks at what nothing wakes for
PATIENCE = 0.05
#: seconds in which a message that has begun has to be there whole
WHOLE_MESSAGE = 120
#: of a metric's name
LONGEST_NAME = 150


@dataclass(frozen=True)
class CheckIn:
    """A script waits for a merge."""

    #: "begin", "batch" or "end"
    kind: str
    #: batches, and epochs, that it has trained
    step: int
    epochs: int
    #: what it goes on contributing once it has ended: "snapshot", "active", "inactive"
    mode: str
    weight: float
    #: its weights by name, read-only
    arrays: Mapping[str, np.ndarray]

    @property
    def ending(self) -> bool:
        """Whether its training is over."""
        return self.kind == "end"


@dataclass(frozen=True)
class Loaded:
    """A script has taken over a merged model."""

    round: int
    #: of the parameters as they are in the script now
    checksum: str | None
    #: on its validation data; None: it has none
    loss: float | None
    metrics: Mapping[str, float]


class Attendant:
    """A running script: what it prints, where it stands, what it waits for.

    Made in the first turn of a node and kept between turns by `local.live`. It ends with the process that holds it.

    Args:
        running: the process.
        line: our end of the line to its `SwarmCallback`.
        emit: gets ("stdout" or "stderr", line).
    """

    def __init__(self, running: Running, line: socket.socket, emit: Emit) -> None:
        self._running = running
        self._line: socket.socket | None = line
        self.tail: deque[str] = deque(maxlen=LAST_LINES)
        streams = zip(running.pipes, ("stdout", "stderr"), strict=True)
        self._lines = {pipe: Lines(name, emit, self.tail) for pipe, name in streams}
        self._selector = selectors.DefaultSelector()
        for descriptor in (*running.pipes, line.fileno(), running.wake):
            if descriptor is not None:
                self._selector.register(descriptor, selectors.EVENT_READ)
        for pipe in running.pipes:
            os.set_blocking(pipe, False)
        #: what its SwarmCallback was made with; None: it has made none
        self.hello: Mapping[str, Any] | None = None
        #: the merge it waits for
        self.waiting: CheckIn | None = None
        #: the latest merge it has taken over; 0: none
        self.base = 0
        self.loaded: Loaded | None = None
        self.epochs = 0
        #: how it ended; None: it runs
        self.exit_code: int | None = None

    @classmethod
    def start(cls, argv: Sequence[str], folder: Path, variables: Mapping[str, str], emit: Emit) -> Self:
        """Start a script.

        Raises:
            PackageError: the system cannot start it.
        """
        ours, theirs = socket.socketpair()
        try:
            told = {**variables, VARIABLE: str(theirs.fileno())}
            running = Running(argv, folder, told, (theirs.fileno(),))
        except NotStartedError as error:
            ours.close()
            raise PackageError(one_line(f"{argv[0]} cannot be started in {folder}: {error}")) from error
        finally:
            theirs.close()
        ours.settimeout(WHOLE_MESSAGE)
        return cls(running, ours, emit)

    def attend(self, until: Callable[[], bool]) -> None:
        """Hand on what it prints and take what it says, until `until()` is true or it has ended."""
        while self.exit_code is None and not until():
            ready = {key.fd for key, _ in self._selector.select(PATIENCE)}
            for pipe, lines in self._lines.items():
                if pipe in ready and lines.read(pipe) == 0:
                    self._selector.unregister(pipe)
            if self._line is not None and self._line.fileno() in ready:
                self._hear()
            if self._running.has_ended():
                self._ended()

    def merged(self, number: int, model: Mapping[str, np.ndarray] | None, **more: Any) -> bool:
        """Hand it a merged model; its answer comes as `loaded`.

        Args:
            number: of the merge, counted from 1.
            model: None: nobody has contributed, it keeps its own.
            more: see `shims/swarm/_wire.py`: `over`, `interval`, `adopted`.

        Returns:
            Whether it was there to take it.
        """
        self.loaded = None
        return self._say({"op": "merged", "round": number, **more}, {} if model is None else model)

    def refuse(self, message: str) -> None:
        """Let what it waits for fail with a `SwarmError`."""
        self.waiting = None
        self._say({"op": "refused", "message": message})

    def kill(self) -> None:
        """End it at once."""
        if self.exit_code is None:
            self._running.kill()
            self.exit_code = self._running.exit_code
            self._hang_up()

    def _say(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bool:
        if self._line is None:
            return False
        try:
            send(self._line, header, arrays)
        except (OSError, EOFError):
            # it is ending: how, its exit code will tell
            return False
        return True

    def _hear(self) -> None:
        if self._line is None:
            return
        try:
            message, arrays = receive(self._line)
            self._take(message, arrays)
        except (EOFError, OSError):
            self._selector.unregister(self._line)
            self._line.close()
            self._line = None
        except (WireError, AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            self.kill()
            raise PackageError(
                one_line(f"the script's SwarmCallback sent what cannot be read: {error}")
            ) from error

    def _take(self, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        match message["op"]:
            case "hello":
                # counted from 1, whoever says otherwise
                self.hello = {**message, "min_peers": max(1, int(message["min_peers"]))}
            case "check_in":
                self.epochs = int(message["epochs"])
                self.waiting = CheckIn(
                    _one_of(message["kind"], "begin", "batch", "end"),
                    int(message["step"]),
                    self.epochs,
                    _one_of(message["mode"], "snapshot", "active", "inactive"),
                    float(message["weight"]),
                    arrays,
                )
            case "epochs":
                self.epochs = int(message["done"])
            case "loaded":
                self.base = int(message["round"])
                loss = message.get("loss")
                metrics = {
                    str(name)[:LONGEST_NAME]: float(value) for name, value in message["metrics"].items()
                }
                self.loaded = Loaded(
                    self.base, message.get("checksum"), None if loss is None else float(loss), metrics
                )

    def _ended(self) -> None:
        for pipe, lines in self._lines.items():
            if pipe in self._selector.get_map():
                lines.drain(pipe)
            lines.take(b"", final=True)
        # what it had said before it ended
        while self._line is not None and _readable(self._line):
            self._hear()
        self.exit_code = self._running.exit_code
        self.waiting = None
        self._running.leave()
        self._hang_up()

    def _hang_up(self) -> None:
        self._selector.close()
        if self._line is not None:
            self._line.close()
            self._line = None


def _one_of(word: object, *known: str) -> str:
    if word not in known:
        raise WireError(f"{str(word)[:40]!r}, which is none of {', '.join(known)}")
    return str(word)


def _readable(line: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        return bool(selector.select(0))
