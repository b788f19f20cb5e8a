"""The first model of a package that comes without one: its `build`, or the `init_seed` of its script, makes it."""

from __future__ import annotations

import ast
import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from manta_nb.compat.fedn.models.files import load_seed
from manta_nb.compat.fedn.models.likeness import Model
from manta_nb.compat.fedn.package.archive import Package
from manta_nb.compat.fedn.programs.calling import Caller
from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.python.imports import missing_in_tail
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.rounds.workcopy import WorkCopy
from manta_nb.compat.processes.ending import last_words
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["make_seed", "seed_command"]

#: where newer packages are told to write what they build
_OUTPUT = "SCALEOUT_BUILD_OUTPUT_DIR"
#: what the file of a first model begins with, where it is no .npz
_NAMES = ("seed", "initial", "model")
#: what a build leaves, and is no model
_OTHERS = frozenset({".csv", ".json", ".log", ".md", ".py", ".pyc", ".txt", ".yaml", ".yml"})

#: a file → when it was written, and its size
_Files = Mapping[Path, tuple[int, int]]


def make_seed(package: Package, settings: Settings, seed: int | None, say: Callable[[str], None]) -> Model:
    """The model that the package makes for a beginning; what its program prints goes to `say`.

    Args:
        package: the package, in a copy of which the program works.
        settings: which Python, which helper.
        seed: seeds random, numpy and torch of the program; None: it draws as it likes.
        say: told line by line what goes on.

    Raises:
        PackageError: the package says no way to make one, its program failed, or what it wrote is no model.
    """
    name, command = seed_command(package)
    say(f"no seed model was given: {name} of {package.name} makes one …")
    with tempfile.TemporaryDirectory(prefix="manta-nb-seed-") as folder:
        root = Path(folder)
        data = None if settings.data is None else Path(settings.data)
        copy = WorkCopy.prepare(
            root, package.checksum, lambda: package.content, settings=package.settings, data=data
        )
        before = _files(root)
        # called once: nothing has to stay ready for another time
        caller = Caller.of(replace(settings, cold=True), copy.folder, extra={_OUTPUT: str(copy.folder)})
        outcome = caller.call(name, command, (), seed, lambda level, line: say(line))
        if outcome.exit_code:
            raise _failed(name, package, outcome)
        made = {path: seen for path, seen in _files(root).items() if before.get(path) != seen}
        return load_seed(_model(made, name, package), settings.helper)


def _failed(name: str, package: Package, outcome: Outcome) -> PackageError:
    said = missing_in_tail(outcome.tail, [*package.sources()]) or last_words(outcome.tail)
    code = f"{name} of {package.name} ended with exit code {outcome.exit_code}"
    return PackageError(one_line(f"{code}{f': {said}' if said else ''}; or give a seed_model"))


def _model(made: _Files, name: str, package: Package) -> Path:
    """Of the files that a program wrote the one that is the model."""
    models = [path for path in made if path.suffix == ".npz"]
    # helpers of a package's own may write what they like
    models = models or [path for path in made if path.name.startswith(_NAMES) and path.suffix not in _OTHERS]
    if not models:
        raise PackageError(
            one_line(
                f"{name} of {package.name} wrote no model (.npz) in or beside the package: give a seed_model"
            )
        )
    return min(models, key=lambda path: (not path.name.startswith("seed"), len(path.parts), path.name))


def seed_command(package: Package) -> tuple[str, str]:
    """The name and the command of what makes the first model: `("init_seed", "python entrypoint.py init_seed")`.

    Raises:
        PackageError: the package has neither; the message says what to do.
    """
    commands = package.spec.entry_points
    if "build" in commands:
        return "build", commands["build"]
    sources = package.sources()
    script = _script(commands["train"], sources)
    if script is not None and "init_seed" in sources[script]:
        return "init_seed", f"python {shlex.quote(script)} init_seed"
    for path, text in sources.items():
        if path.endswith(".py") and _defines_init_seed(text):
            module = Path(path).stem
            by_hand = f"import {module}; {module}.init_seed('../seed.npz')"
            raise PackageError(
                one_line(
                    f"{package.name} has no entry point build; init_seed is in {shorten(path, 40)}: in its folder "
                    f'manta-nb fedn exec -- python -c "{by_hand}", then --seed-model'
                )
            )
    raise PackageError(
        one_line(
            f"{package.name} has neither an entry point build nor init_seed: give its first model as seed_model"
        )
    )


def _script(command: str, sources: Mapping[str, str]) -> str | None:
    """The program of the package that a command names."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return next((path for word in words if (path := word.removeprefix("./")) in sources), None)


def _defines_init_seed(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "init_seed" for node in tree.body)


def _files(root: Path) -> _Files:
    """The files in a folder and below it; what links lead to is not looked at."""
    found = {path: path.stat() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
    return {path: (status.st_mtime_ns, status.st_size) for path, status in found.items()}
