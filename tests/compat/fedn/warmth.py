"""Programs that are run both ways, cold and warm, and what came of them."""

import os
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from manta_nb.compat.fedn.programs.calling import program_environment
from manta_nb.compat.fedn.programs.calls import Call, Outcome
from manta_nb.compat.fedn.programs.cold import run_cold
from manta_nb.compat.fedn.programs.commands import Expanded
from manta_nb.compat.fedn.programs.warm.caller import Warm
from manta_nb.compat.fedn.programs.warm.inside.wire import send
from manta_nb.compat.fedn.programs.warm.meeting import address
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from manta_nb.shims import shim_folder
from tests.waiting import until


@dataclass(frozen=True)
class Said:
    """What a program said, and how it ended."""

    code: int
    stdout: tuple[str, ...]
    stderr: tuple[str, ...]


class Both:
    """A folder with programs, and both ways to run them.

    Args:
        folder: becomes their working directory.
        meeting: shared by the tests that may share a process with imports.
        variables: of the programs, besides those of this process.
        interpreter: the Python that runs them.
    """

    def __init__(
        self,
        folder: Path,
        meeting: Path,
        variables: Mapping[str, str] | None = None,
        interpreter: str = sys.executable,
    ) -> None:
        self.folder = folder
        self.meeting = meeting
        self._base = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._base.pop("PYTEST_CURRENT_TEST", None)
        self._variables = dict(variables or {})
        self._interpreter = interpreter
        #: counts as installed
        self.library = folder.parent / "library"

    def write(self, name: str, text: str) -> None:
        """Write a file of the package, or with `library/` before its name one that is installed."""
        path = (self.folder.parent if name.startswith("library/") else self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")

    def program(
        self,
        *args: str,
        script: str | None = "main.py",
        module: str | None = None,
        flags: tuple[str, ...] = (),
    ) -> PythonProgram:
        return PythonProgram(flags, None if module else script, module, args)

    def call(self, seed: int | None = None) -> Call:
        environment = program_environment(self._base, self._variables, self._interpreter, seed=seed)
        environment["PYTHONPATH"] += f":{self.library}"
        return Call("train", "", (), self.folder, environment, self._interpreter, seed)

    def kept(self, call: Call) -> Warm:
        return Warm(
            self.folder,
            call.environment,
            self._interpreter,
            roots=[shim_folder(), self.library],
            meeting=self.meeting,
        )

    def cold(self, program: PythonProgram, seed: int | None = None) -> Said:
        target = [program.script] if program.script else ["-m", str(program.module)]
        argv = (self._interpreter, *program.flags, *target, *program.args)
        lines: list[tuple[str, str]] = []
        outcome = run_cold(
            self.call(seed), lambda stream, line: lines.append((stream, line)), Expanded(argv, program)
        )
        assert "cold" == outcome.how
        return said(outcome, lines)

    def warm(self, program: PythonProgram, seed: int | None = None) -> Said:
        call = self.call(seed)
        warm = self.kept(call)
        lines: list[tuple[str, str]] = []
        reason = warm.ready(program)
        assert not reason, reason
        outcome = warm.run(call, program, lambda stream, line: lines.append((stream, line)))
        warm.disconnect()
        assert "warm" == outcome.how
        return said(outcome, lines)

    def leave(self) -> None:
        """Have nothing ready any more, for whatever kind of program."""
        for place in self.meeting.glob("*") if self.meeting.is_dir() else ():
            if not place.suffix:
                with (
                    suppress(OSError),
                    socket.socket(socket.AF_UNIX) as sock,
                    address(self.meeting, place.name) as where,
                ):
                    sock.connect(where)
                    send(sock, {"op": "leave"})
        until(lambda: not self.meeting.exists(), what="a process with imports is left")

    def take_files(self) -> dict[str, bytes]:
        """What programs wrote, which is taken away."""
        taken = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix not in {".py", ".pt"} and "__pycache__" not in path.parts:
                taken[str(path.relative_to(self.folder))] = path.read_bytes()
                path.unlink()
        return taken


def said(outcome: Outcome, lines: list[tuple[str, str]]) -> Said:
    # where an object lies is chance
    plain = [(stream, re.sub(r"\b0x[0-9a-f]{6,}", "0x…", line)) for stream, line in lines]
    return Said(
        outcome.exit_code,
        tuple(line for stream, line in plain if stream == "stdout"),
        tuple(line for stream, line in plain if stream == "stderr"),
    )
