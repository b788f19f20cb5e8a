"""Which modules a program imports as it begins, told from its text and that of the package's modules that it names."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field
from pathlib import Path

from manta_nb.compat.fedn.programs.warm.inside.wanted import Wanted
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from manta_nb.compat.fedn.programs.warm.statements import Statements

__all__ = ["Imports", "find_imports", "script_of"]

#: a file larger than this is not read
LONGEST = 2 << 20
#: files of a package that are read, at most
MOST = 500
#: (module, word in a program's text that makes it import another one late, that other one): 1.5 s of every training
LATE = (("torch", "optim", "torch._dynamo"),)


@dataclass
class Imports:
    """What a program imports whatever happens, in the order of its text."""

    #: modules that are not the package's
    wanted: list[Wanted] = field(default_factory=list)
    #: the package's modules that `import NAME` finds from the program's folder
    own: list[str] = field(default_factory=list)
    #: why Python would not run it: "no such file"; "" where it would
    trouble: str = ""


def script_of(program: PythonProgram, folder: Path) -> Path | None:
    """The file that a program runs; None for a module that is not in `folder`."""
    if program.script is not None:
        return folder / program.script
    base = folder.joinpath(*(program.module or "").split("."))
    for path in (base / "__main__.py", base.with_name(f"{base.name}.py")):
        if path.is_file():
            return path
    return None


def find_imports(program: PythonProgram, folder: Path) -> Imports:
    """The imports of a program that runs in `folder`.

    Example:
        >>> find_imports(PythonProgram((), "train.py", None, ()), folder).wanted
        [Wanted("torch"), Wanted("fedn.utils.helpers.helpers", ["save_metadata"])]
    """
    path = script_of(program, folder)
    if path is None or not path.is_file():
        return Imports(trouble=f"{program.script or program.module} is no file of the package")
    base = Path(os.path.realpath(path)).parent if program.module is None else folder
    reader = _Reader(base)
    try:
        return reader.read(path)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return Imports(trouble=f"{path.name} cannot be read as Python: {type(error).__name__}")


class _Reader:
    """Follows imports through the modules of one folder."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._own = _modules_in(base)
        self._wanted: dict[tuple[str, ...], Wanted] = {}
        self._read: set[Path] = set()
        self._late: dict[str, str] = {}
        #: variables that were set so far, and whether more happened than anybody can tell from the text
        self._set: list[str] = []
        self._unknown = False

    def read(self, script: Path) -> Imports:
        self._follow(script, package=(), main=True)
        late = [
            Wanted(other, late=True, set=list(self._set))
            for module, word, other in LATE
            if self._late.get(word)
            and any(each.name.partition(".")[0] == module for each in self._wanted.values())
        ]
        return Imports([*self._wanted.values(), *late], self._own)

    def _follow(self, path: Path, package: tuple[str, ...], main: bool = False) -> None:
        if path.stat().st_size > LONGEST:
            raise ValueError("too long")
        text = path.read_bytes()
        statements = Statements(ast.parse(text, str(path)).body, main)
        for _, word, _ in LATE:
            if word.encode() in text:
                self._late[word] = word
        for statement in statements:
            if self._unknown:
                return
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    if self._name(tuple(alias.name.split(".")), []):
                        statements.mine(alias.asname or alias.name.partition(".")[0])
            elif isinstance(statement, ast.ImportFrom):
                above = package[: len(package) - statement.level + 1] if statement.level else ()
                parts = (*above, *(statement.module.split(".") if statement.module else ()))
                names = [alias.name for alias in statement.names]
                if parts and self._name(parts, [name for name in names if name != "*"]):
                    statements.mine(*names, *(alias.asname or "" for alias in statement.names))
            else:
                variables = statements.sets(statement)
                self._unknown = variables is None
                self._set += variables or []

    def _name(self, parts: tuple[str, ...], names: list[str]) -> bool:
        """Note an import; returns whether it is one of the package's modules."""
        own = parts[0] in self._own
        if not own:
            # also where there is a folder of that name: an installed package goes before one without __init__.py
            key = (".".join(parts), *names)
            self._wanted.setdefault(key, Wanted(key[0], names, list(self._set)))
            if not (self._base / parts[0]).is_dir():
                return False
        for end in range(1, len(parts) + 1):
            self._module(parts[:end])
        for name in names:
            self._module((*parts, name))
        return True

    def _module(self, parts: tuple[str, ...]) -> None:
        """Read a module of the package, if there is such a file."""
        folder = self._base.joinpath(*parts)
        beside = folder.with_name(f"{parts[-1]}.py")
        for path, package in ((folder / "__init__.py", parts), (beside, parts[:-1])):
            if path in self._read or len(self._read) >= MOST or not path.is_file():
                continue
            self._read.add(path)
            try:
                self._follow(path, package)
            except (OSError, SyntaxError, ValueError, RecursionError):
                # the program will say so, and goes no further
                self._unknown = True
            return


def _modules_in(folder: Path) -> list[str]:
    """The names that an import finds in a folder before it looks anywhere else."""
    names = set()
    for entry in folder.iterdir():
        if entry.suffix in {".py", ".so", ".pyc"} and not entry.is_dir():
            names.add(entry.name.partition(".")[0])
        elif (entry / "__init__.py").is_file():
            names.add(entry.name)
    return sorted(names)
