"""The node's end of the line, as a thread that answers from a list, and programs that run on the other end."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manta_nb.shims import shim_folder
from manta_nb.shims.swarm._link import DESCRIPTOR
from manta_nb.shims.swarm._wire import WireError, receive, send

__all__ = ["Attendant", "Reply", "echo", "merged", "program"]

Arrays = Mapping[str, np.ndarray]
Message = tuple[dict[str, Any], dict[str, np.ndarray]]
#: what is answered to a check-in
Reply = Callable[[Message], tuple[dict[str, Any], Arrays | None]]


def merged(round: int, arrays: Arrays | None = None, **fields: Any) -> Reply:
    """A merge with these arrays; None: with those that were handed in."""

    def reply(message: Message) -> tuple[dict[str, Any], Arrays | None]:
        header = {"op": "merged", "round": round, "over": False, "interval": 0, "adopted": False, **fields}
        return header, message[1] if arrays is None else arrays

    return reply


def echo(rounds: int, **last: Any) -> list[Reply]:
    """So many merges with what was handed in, and one more, the last."""
    return [*(merged(number) for number in range(rounds)), merged(rounds, **{"over": True, **last})]


class Attendant:
    """Speaks for the node: notes what is said, and answers each check-in with the next reply."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.said: list[Message] = []
        self._replies = [*replies]
        self._ours, self.theirs = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def ops(self) -> list[str]:
        """What was said, a word each."""
        return [header.get("kind", header["op"]) for header, _ in self.said]

    def headers(self, op: str) -> list[dict[str, Any]]:
        return [header for header, _ in self.said if header["op"] == op]

    def arrays(self, kind: str) -> dict[str, np.ndarray]:
        """What was handed in, the last time with this kind."""
        return [arrays for header, arrays in self.said if header.get("kind") == kind][-1]

    def hang_up(self) -> None:
        """Say no more; what has been said to this side is still read."""
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.theirs.close()
        self.hang_up()
        self._thread.join()
        self._ours.close()

    def _serve(self) -> None:
        waits = False
        ended = False
        try:
            while True:
                message = receive(self._ours)
                self.said.append(message)
                op = message[0]["op"]
                ended = ended or message[0].get("kind") == "end"
                if op == "check_in" or (op == "loaded" and waits):
                    if not self._replies:
                        self.hang_up()
                        return
                    header, arrays = self._replies.pop(0)(message)
                    send(self._ours, header, arrays)
                    waits = ended and not header.get("over") and not header.get("adopted")
        except (EOFError, WireError, OSError):
            return


def program(
    code: str, folder: Path, attendant: Attendant | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a training script as a node does: its own process, a true `__main__`, the packages on its path."""
    script = folder / "train.py"
    script.write_text(code)
    whole = {**os.environ, "PYTHONPATH": str(shim_folder()), "TF_CPP_MIN_LOG_LEVEL": "3", **env}
    numbers: tuple[int, ...] = ()
    if attendant is not None:
        numbers = (attendant.theirs.fileno(),)
        whole[DESCRIPTOR] = str(numbers[0])
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=folder,
        env=whole,
        pass_fds=numbers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if attendant is not None:
        attendant.theirs.close()
    try:
        output, _ = process.communicate(timeout=150)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess([str(script)], process.returncode, output)
