"""How an entry point is called on this machine: with which Python, in which environment, warm or cold."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from platformdirs import user_cache_path

from manta_nb.compat.fedn.programs.calls import Call, Emit, Outcome
from manta_nb.compat.fedn.programs.cold import run_cold
from manta_nb.compat.fedn.programs.commands import expand
from manta_nb.compat.fedn.programs.warm.caller import NotWarm, Warm
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from manta_nb.compat.fedn.python.pythonenv import read_environment
from manta_nb.compat.fedn.python.venvs import build
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.processes.environment import SITE, environment
from manta_nb.shims import shim_folder

__all__ = ["Caller", "program_environment"]


def program_environment(
    base: Mapping[str, str],
    variables: Mapping[str, str],
    interpreter: str,
    *,
    real_fedn: bool = False,
    seed: int | None = None,
    wrappers: Path | None = None,
) -> dict[str, str]:
    """The environment of a program of a package: `base` without what is ours, our `fedn` first, then `variables`."""
    shims = None if real_fedn else str(shim_folder())
    return environment(
        base,
        variables,
        shims=shims,
        site=str(SITE),
        interpreter=interpreter,
        seed=seed,
        wrappers=wrappers,
    )


class Caller:
    """Calls the entry points of one working copy.

    Args:
        folder: the working copy, where programs begin.
        variables: of the programs, beside those of this process.
        interpreter: the Python that `python` means; None: this one.
        cold: start a new Python for each call.
        real_fedn: an installed FEDn rather than manta_nb's.
        meeting: a folder that all callers of this session on this machine know: they share the process that has the
            imports ready; None: only this process has one.
    """

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str],
        *,
        interpreter: str | None = None,
        cold: bool = False,
        real_fedn: bool = False,
        meeting: Path | None = None,
    ) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._interpreter = interpreter or sys.executable
        self._cold = cold
        self._real_fedn = real_fedn
        self._meeting = meeting
        self._notes: dict[str, None] = {}

    @classmethod
    def of(
        cls,
        settings: Settings,
        folder: Path,
        node_id: str = "",
        *,
        extra: Mapping[str, str] | None = None,
        meeting: Path | None = None,
    ) -> Self:
        """The caller of a node, as the run's settings say; builds the virtual environment where one is asked for."""
        asked = read_environment(folder, settings.environment_file)
        interpreter = None
        if settings.python_env == "venv" and asked is not None:
            # one for all packages that ask for the same, also in later sessions
            interpreter = build(asked, user_cache_path("manta-nb") / "venvs", print)
        variables = {**settings.environment(node_id), **(extra or {})}
        return cls(
            folder,
            variables,
            interpreter=interpreter,
            cold=settings.cold,
            real_fedn=settings.real_fedn,
            meeting=meeting,
        )

    def call(
        self, name: str, command: str, arguments: Sequence[str], seed: int | None, emit: Emit
    ) -> Outcome:
        """Call an entry point, and hand on what it prints while it runs."""
        variables = program_environment(
            os.environ,
            self._variables,
            self._interpreter,
            real_fedn=self._real_fedn,
            seed=seed,
            # beside the working copy, where no program looks
            wrappers=self._folder.parent / ".python",
        )
        call = Call(name, command, tuple(arguments), self._folder, variables, self._interpreter, seed)
        expanded = expand(call)
        self._notes.update(dict.fromkeys(expanded.notes))
        outcome = None
        if expanded.program is not None and not self._cold:
            outcome = self._warm(call, expanded.program, emit)
        return run_cold(call, emit, expanded) if outcome is None else outcome

    def _warm(self, call: Call, program: PythonProgram, emit: Emit) -> Outcome | None:
        """Call it by fork; None where that cannot be, and it has not begun."""
        warm = Warm(
            self._folder, call.environment, self._interpreter, roots=[shim_folder()], meeting=self._meeting
        )
        try:
            why = warm.ready(program)
            if not why:
                return warm.run(call, program, emit)
        except NotWarm as error:
            why = str(error)
        finally:
            self._notes.update(dict.fromkeys(warm.notes))
            # what has the imports ready stays while this process lives
            warm.disconnect()
        self._notes[f"{call.name} is a new Python each time: {why}"] = None
        return None

    def notes(self) -> list[str]:
        """What was decided, a line each."""
        return list(self._notes)
