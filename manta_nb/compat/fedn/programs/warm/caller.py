"""Calls of Python programs by fork: from a process that has their imports ready, and nothing else."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from manta_nb.compat.fedn.programs.calls import Call, Emit, Outcome
from manta_nb.compat.fedn.programs.warm.imports import find_imports
from manta_nb.compat.fedn.programs.warm.inside.wire import Gone
from manta_nb.compat.fedn.programs.warm.line import Line
from manta_nb.compat.fedn.programs.warm.meeting import Kind, place_for
from manta_nb.compat.fedn.programs.warm.ordering import order
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from manta_nb.compat.processes.pump import LAST_LINES

__all__ = ["NotWarm", "Warm"]

#: letters of flags under which Python runs no script, or not all of it, or goes on behind it
STRANGE = frozenset("cixVh?")
#: flags that take the next word, where nothing is attached
WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})


class NotWarm(Exception):
    """A program could not be forked, or was lost with the process it came from: it can be started as one of its own."""


class Warm:
    """Calls programs of a package by fork.

    Nothing that matters is in here: the process that programs are forked from is shared by all processes of a host that
    have the same `meeting` place, and ends with the last of them. So it can be made anew for each turn of a node.

    Args:
        folder: the working directory of the programs.
        environment: their whole environment.
        interpreter: the Python that runs them.
        roots: folders on their PYTHONPATH whose modules never change while they run, such as the shims'.
        meeting: a folder of this user that all processes which share the imports know, see `meeting.place_for`; None:
            only this process.

    Example:
        >>> with Warm(folder, environment, sys.executable) as warm:
        ...     if not (reason := warm.ready(program)):
        ...         outcome = warm.run(call, program, emit)
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        interpreter: str,
        *,
        roots: Iterable[Path] = (),
        meeting: Path | None = None,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._interpreter = interpreter
        self._roots = tuple(str(root) for root in roots)
        self._line = Line(meeting or place_for(f"process {os.getpid()}"), folder)
        #: the program that is ready
        self._program: PythonProgram | None = None
        #: module → why each program imports it anew
        self._avoided: dict[str, str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each module that programs do not find ready."""
        return tuple(f"{name} is imported anew by each call: it {why}" for name, why in self._avoided.items())

    def ready(self, program: PythonProgram) -> str:
        """Have the imports of a program ready.

        Returns:
            "" if its calls can be forked, else the reason why not: one line.
        """
        if sys.platform != "linux":
            return "only Linux forks safely"
        if _is_strange(program.flags):
            return f"python {' '.join(program.flags)} does not run a script"
        return self._prepare(self._kind(program, self._environment), program)

    def run(self, call: Call, program: PythonProgram, emit: Emit) -> Outcome:
        """Run a program to its end, and hand on what it prints while it runs.

        Raises:
            NotWarm: it could not be forked, and has not begun.
            Exception: what `emit` raises; the program and all that it started is gone then.
        """
        began = time.perf_counter()
        reader, writer = os.pipe()
        errors, error_writer = os.pipe()
        try:
            try:
                self._start(call, program, (writer, error_writer))
            finally:
                os.close(writer)
                os.close(error_writer)
            tail: deque[str] = deque(maxlen=LAST_LINES)
            try:
                code = self._line.follow(reader, errors, emit, tail)
            except Gone as error:
                # killed from outside, as a node is that runs out of memory: no failure of the program
                raise NotWarm(str(error)) from error
        finally:
            os.close(reader)
            os.close(errors)
        return Outcome(code, time.perf_counter() - began, tuple(tail), "warm")

    def disconnect(self) -> None:
        """Hang up; the imports stay ready while this process lives."""
        self._line.close()

    def close(self) -> None:
        """Hang up; the imports stay ready only while another process uses them."""
        self._line.close(leave=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _kind(self, program: PythonProgram, environment: Mapping[str, str], exact: bool = False) -> Kind:
        return Kind(self._interpreter, program.flags, environment, self._roots, exact)

    def _prepare(self, kind: Kind, program: PythonProgram) -> str:
        """Why the program cannot be forked; "" if it can."""
        imports = find_imports(program, self._folder)
        if imports.trouble:
            return imports.trouble
        try:
            answer = self._line.prepare(kind, imports, program.args)
        except Gone as error:
            return f"the process with its imports ready is gone: {error}"
        self._program = program
        self._avoided.update(answer["avoided"])
        if answer["clash"]:
            return f"{answer['clash'][0]} is also the name of a module that is loaded already"
        return ""

    def _start(self, call: Call, program: PythonProgram, output: tuple[int, int]) -> None:
        message = order(call, program)
        # first the process that other nodes use, too; where that will not do, one for this environment alone
        kinds = [self._kind(program, message["environment"], exact) for exact in (False, True)]
        if self._line.kind == kinds[1].name():
            del kinds[0]
        for kind in kinds:
            answer = self._started(kind, program, message, output)
            if answer["op"] == "started":
                return
        raise NotWarm(f"its imports look at {answer['variable']}, which is another one now")

    def _started(
        self, kind: Kind, program: PythonProgram, message: dict[str, Any], output: tuple[int, int]
    ) -> dict[str, Any]:
        """The answer to an order; the process may have died since it was asked last: then there is a new one."""
        for last in (False, True):
            if self._line.kind != kind.name() or self._program != program:
                reason = self._prepare(kind, program)
                if reason:
                    raise NotWarm(reason)
            try:
                return self._line.start(message, output)
            except Gone as error:
                if last:
                    raise NotWarm(f"the process with its imports ready is gone: {error}") from error
        raise AssertionError


def _is_strange(flags: tuple[str, ...]) -> bool:
    left = list(flags)
    while left:
        flag = left.pop(0)
        if flag in WITH_VALUE:
            del left[:1]
        elif not flag.startswith(("-W", "-X")) and (flag.startswith("--") or STRANGE & set(flag[1:])):
            return True
    return False
