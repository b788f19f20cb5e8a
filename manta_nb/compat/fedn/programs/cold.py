"""An entry point as a process of its own, which ends with whoever called it, and takes along what is in its group.

Aborted by an exception, it takes along all that descends from it; killed together with its caller, it leaves what
made a session of its own (`setsid`).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from manta_nb.compat.fedn.programs.calls import Call, Emit, Outcome
from manta_nb.compat.fedn.programs.commands import Expanded, expand, shell_argv
from manta_nb.compat.processes.environment import environment
from manta_nb.compat.processes.pump import LAST_LINES, pump
from manta_nb.compat.processes.running import NotStartedError, Running

__all__ = ["NOT_FOUND", "NOT_STARTED", "environment", "run_cold", "run_program"]

#: as a shell says it: there is no such program; it cannot be started
NOT_FOUND, NOT_STARTED = 127, 126


def run_cold(call: Call, emit: Emit, expanded: Expanded | None = None) -> Outcome:
    """Run an entry point in a process of its own; through a shell only where its command needs one.

    Args:
        call: what to run.
        emit: gets ("stdout" or "stderr", line) while it runs.
        expanded: what `expand(call)` said, where that is known already.

    Returns:
        Its exit code (minus the number of the signal that killed it), seconds, and its last lines.

    Raises:
        BaseException: what `emit` raises, and `KeyboardInterrupt`: the program and all that it started are gone then.
    """
    found = expanded or expand(call)
    argv = shell_argv(call) if found.argv is None else found.argv
    # a shell tells its programs where they are, whatever the variable said before
    where = {**call.environment, "PWD": os.path.realpath(call.folder)}
    return run_program(argv, call.folder, where, emit)


def run_program(argv: Sequence[str], folder: Path, variables: Mapping[str, str], emit: Emit) -> Outcome:
    """Run a program to its end; see `run_cold`."""
    tail: deque[str] = deque(maxlen=LAST_LINES)
    began = time.perf_counter()
    try:
        with Running(argv, folder, variables) as running:
            pump(*running.pipes, emit, tail, running.has_ended, running.wake)
        code = running.exit_code
    except NotStartedError as error:
        line = f"{argv[0]} cannot be started in {folder}: {error}"
        emit("stderr", line)
        tail.append(line)
        code = NOT_FOUND if isinstance(error.__cause__, FileNotFoundError) else NOT_STARTED
    return Outcome(code, time.perf_counter() - began, tuple(tail), "cold")
