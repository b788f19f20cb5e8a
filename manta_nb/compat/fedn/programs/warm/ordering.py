"""What a caller tells of a program that is to be forked."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.programs.calls import Call
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from manta_nb.compat.processes.environment import SEED_VARIABLE

__all__ = ["order"]

#: what programs inherit from their caller, under the names that Python has for it (one has two)
_LIMITS = tuple(name for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE")


def order(call: Call, program: PythonProgram) -> dict[str, Any]:
    """The message that has a program forked, see `inside.order.Order`.

    It finds what it would find as a process that the caller starts: limits, umask and processors are the caller's.
    """
    # a shell tells its programs where they are, whatever the variable said before
    environment = {**call.environment, "PWD": os.path.realpath(call.folder)}
    if call.seed is not None:
        environment[SEED_VARIABLE] = str(call.seed)
    script = [program.script] if program.script is not None else []
    module = ["-m", program.module] if program.module is not None else []
    return {
        "op": "run",
        "command": [call.interpreter, *program.flags, *script, *module, *program.args],
        "arguments": [*script, *module[:1], *program.args],
        "script": program.script,
        "module": program.module,
        "folder": str(call.folder),
        "environment": environment,
        "seed": call.seed,
        "umask": _umask(),
        "processors": sorted(os.sched_getaffinity(0)),
        "limits": {name: list(resource.getrlimit(getattr(resource, name))) for name in _LIMITS},
    }


def _umask() -> int:
    """The umask of this process; asking by `os.umask` would set it for its other threads for a moment."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask"))
