"""Virtual environments with what packages ask for, each built once and shared by the nodes of a machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.programs.cold import run_program
from manta_nb.compat.fedn.python.requirements import PythonEnv
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["build"]

#: the shim needs it; the others come with FEDn, and packages rely on that
_ALWAYS, _WITH_FEDN = ("numpy",), ("pyyaml", "requests")
#: written last: an environment without it was being built when its builder was killed
_COMPLETE = "manta-complete"
#: seconds to wait for another node that builds the same
_PATIENCE = 3600
#: what would make the new Python, or pip, look elsewhere
_MISLEADING = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_USER"}
)


def build(env: PythonEnv, root: Path, say: Callable[[str], None]) -> str:
    """The Python of the environment that `env` asks for, built where it is not there yet.

    It is known by what it holds, so that packages that ask for the same share it. A build that was killed is begun
    anew; of several nodes one builds, and the others wait.

    Args:
        env: what to install.
        root: the folder of all such environments.
        say: gets what a person should see meanwhile.

    Raises:
        PackageError: pip could not, with its last words; everything it said is in a `.log` in `root`.

    Example:
        `interpreter = build(parse_python_env(text), Path("~/.cache/manta-nb/venvs").expanduser(), print)`
    """
    key = _key(env)
    folder = root.absolute() / key
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock"), say):
            if not (folder / _COMPLETE).exists():
                _build(env, folder, python, say)
    except OSError as error:
        raise PackageError(
            one_line(f"no environment can be built in {shorten(str(root), 80)}: {error}")
        ) from error
    return str(python)


def _build(env: PythonEnv, folder: Path, python: Path, say: Callable[[str], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    say(
        f"building the environment of {env.file_name} (once): {', '.join(env.dependencies) or 'nothing of its own'}"
    )
    steps = [[sys.executable, "-m", "venv", str(folder)]]
    install = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r"]
    lists = {"build": env.build_dependencies, "run": _requirements(env)}
    steps += [[*install, str(folder / f"{name}.txt")] for name, lines in lists.items() if lines]
    try:
        with folder.with_suffix(".log").open("w", encoding="utf-8") as log:
            for step in steps:
                outcome = _step(step, folder.parent, say, lambda line: log.write(f"{line}\n"))
                if outcome.exit_code:
                    raise _failed(env, outcome, folder.with_suffix(".log"))
                for name, lines in lists.items():
                    (folder / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / _COMPLETE).touch()


def _step(argv: list[str], folder: Path, say: Callable[[str], None], log: Callable[[str], object]) -> Outcome:
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}

    def emit(_: str, line: str) -> None:
        log(line)
        if line.startswith(("Collecting", "Installing", "Building", "Downloading")):
            say(shorten(line, 150))

    return run_program(argv, folder, environment, emit)


def _failed(env: PythonEnv, outcome: Outcome, log: Path) -> PackageError:
    told = (
        [line for line in outcome.tail if line.startswith("ERROR:")]
        or outcome.tail[-1:]
        or ("it said nothing",)
    )
    return PackageError(
        f"{env.file_name} cannot be installed: {shorten(' '.join(told[-1].split()), 90)}; see {shorten(str(log), 60)}"
    )


def _requirements(env: PythonEnv) -> list[str]:
    named = set()
    for line in env.dependencies:
        try:
            named.add(canonicalize_name(Requirement(line).name))
        except InvalidRequirement:
            # an option of pip, a URL: pip knows
            continue
    more = (*_ALWAYS, *(_WITH_FEDN if env.with_fedn else ()))
    return [*env.dependencies, *(name for name in more if name not in named)]


def _key(env: PythonEnv) -> str:
    """Which environment it is: Python, machine, and every line."""
    python = [
        platform.python_implementation(),
        platform.python_version(),
        platform.machine(),
        sys.base_prefix,
    ]
    told = json.dumps([python, env.build_dependencies, _requirements(env)])
    return hashlib.sha256(told.encode()).hexdigest()[:20]


@contextmanager
def _alone(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One builder at a time; the lock goes with its process."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("waiting for another node, which builds the environment")
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise PackageError(f"another node has been building it for {_PATIENCE // 60} minutes") from None
    try:
        yield
    finally:
        lock.release()
