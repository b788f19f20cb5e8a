"""`ModuleSource`: the text of a module's package, as it travels to the nodes.

* `read_source` reads a file or a folder;
* `source_from_text` takes texts, as notebook cells give them;
* `module_base` is the folder that relative paths are tried from after the working directory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from manta_nb.errors import DefinitionError
from manta_nb.sdk.entry import WRITE_ONE, find_entry
from manta_nb.sdk.names import check_name, shorten
from manta_nb.sdk.package import parse_package
from manta_nb.sdk.parse import dotted_name, one_line
from manta_nb.sdk.reading import read_folder, read_python

__all__ = ["MAIN", "ModuleSource", "module_base", "read_source", "source_from_text"]

#: the main file of a package: a single file, or the cell without `--file`, is the package itself
MAIN = "__init__.py"

#: folder of the swarm file that is being loaded; None outside
module_base: ContextVar[Path | None] = ContextVar("manta_nb_module_base", default=None)


@dataclass(frozen=True)
class ModuleSource:
    """The package of one module: texts only, so that any node can run it and nothing is pickled.

    Made by `read_source` and `source_from_text`, which check it. Import it as the package `name` with the
    files `files`, then call `main` of `entry_module`, or `run` of a fresh object of its class.
    """

    #: name of the package, an identifier
    name: str
    #: relative posix path → text; the main file comes first
    files: Mapping[str, str] = field(repr=False)
    #: path of the main file: "__init__.py", or the entry's file in a folder without one
    main: str
    #: path of the file the entry is defined in; "" while there is no task yet
    entry_file: str
    #: "main", or the name of the Task class; "" while there is no task yet
    entry_name: str
    entry_is_class: bool
    #: changes if and only if a text changes
    version: str
    #: file → what a traceback shows for it, such as "Cell In[3]" or "modules/worker.py"
    origins: Mapping[str, str] = field(repr=False)

    @property
    def entry(self) -> str:
        """What runs, for people: `main()` or `Worker.run`; "" while there is no task yet."""
        return f"{self.entry_name}.run" if self.entry_is_class else self.entry_name and "main()"

    @property
    def entry_module(self) -> str:
        """Dotted name under which the entry's file is imported: "worker" or "worker.train"."""
        return self.dotted(self.entry_file)

    def dotted(self, path: str) -> str:
        """The name a file of this package is imported under: "model.py" is "worker.model"."""
        return dotted_name(self.name, path)

    def summary(self) -> str:
        """What runs and the other Python files: `Worker.run (In[3]), model.py (In[2])`."""
        others = [path for path in self.files if path.endswith(".py") and path != self.entry_file]
        parts = [f"{self.entry}{self._label(self.entry_file)}"] if self.entry else []
        parts += [f"{path}{self._label(path)}" for path in others if self.files[path].strip()]
        return ", ".join(parts)

    def _label(self, path: str) -> str:
        origin = self.origins.get(path, path)
        if origin.startswith("Cell "):
            return f" ({origin.removeprefix('Cell ')})"
        return f" ({PurePosixPath(origin).name})" if path == self.entry_file else ""


def read_source(
    path: str | os.PathLike[str], base: Path | None = None, name: str | None = None
) -> ModuleSource:
    """The module in a Python file or a folder of them.

    Args:
        path: tried from the working directory, then from `base`.
        base: folder of the swarm file; None for none.
        name: name of the package where the file's own is not an identifier.

    Raises:
        DefinitionError: nothing is there, it cannot be read, or it holds no task that could run.
    """
    found = _locate(Path(path).expanduser(), base)
    if found.name == MAIN:
        found = found.parent
    shown = _shown(found, base)
    stem = found.name if found.is_dir() else found.stem
    package = stem if stem.isidentifier() or name is None else name
    check_name(package, f"module ({shown})")
    if found.is_dir():
        texts = read_folder(found, shown)
        origins = {file: f"{shown}/{file}" for file in texts}
    else:
        texts, origins = {MAIN: read_python(found, shown)}, {MAIN: shown}
    return _build(package, texts, origins, f"module {shown}", complete=True)


def source_from_text(
    text: str | None,
    name: str,
    files: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    *,
    complete: bool = True,
) -> ModuleSource:
    """The module made of a main text and, beside it, further files.

    Args:
        text: the main file; None while only other files are there.
        name: name of the package, an identifier.
        files: relative posix path → text, such as `{"model.py": "…"}`.
        origins: path → what a traceback shows; the main file's path is `MAIN`.
        complete: False allows a package that has no task yet.

    Example:
        >>> source_from_text("def main():\\n    print('hello')", "hello").entry
        'main()'
    """
    check_name(name, "module")
    beside = {_check_path(path): body for path, body in (files or {}).items()}
    texts = {MAIN: text, **beside} if text is not None else beside
    shown = {path: f"{name}.py" if path == MAIN else path for path in texts} | dict(origins or {})
    return _build(name, texts, shown, f"module {name}", complete=complete)


def _build(
    name: str, texts: Mapping[str, str], origins: Mapping[str, str], where: str, *, complete: bool
) -> ModuleSource:
    entry = find_entry(parse_package(name, texts, origins), where)
    if entry is None and complete:
        raise DefinitionError(one_line(f"{where} has no task: {WRITE_ONE}"))
    main = MAIN if MAIN in texts or entry is None else entry.file
    ordered = {path: texts[path] for path in sorted(texts, key=lambda path: (path != main, path))}
    return ModuleSource(
        name=name,
        files=ordered,
        main=main,
        entry_file=entry.file if entry else "",
        entry_name=entry.name if entry else "",
        entry_is_class=entry is not None and entry.is_class,
        version=_version(name, ordered),
        origins={path: origins.get(path, path) for path in ordered},
    )


def _version(name: str, files: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=5)
    for part in _parts(files):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _parts(files: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(files):
        yield path
        yield files[path]


def _check_path(path: str) -> str:
    pure = PurePosixPath(path)
    if (
        not path
        or pure.is_absolute()
        or ".." in pure.parts
        or "\\" in path
        or str(pure) != path
        or path == MAIN
    ):
        raise DefinitionError(
            one_line(f'{path!r} is no name of a file beside the main one: write "model.py"')
        )
    return path


def _locate(path: Path, base: Path | None) -> Path:
    folders = list(dict.fromkeys(folder for folder in (Path.cwd(), base) if folder is not None))
    for folder in folders:
        # An absolute path replaces the folder.
        if (found := folder / path).is_dir() or found.is_file():
            return found
    places = (
        "" if path.is_absolute() else f" in {' or '.join(shorten(str(folder), 55) for folder in folders)}"
    )
    raise DefinitionError(
        one_line(f"no module {shorten(str(path), 50)}: there is no such file or folder{places}")
    )


def _shown(path: Path, base: Path | None) -> str:
    for folder in (Path.cwd(), base):
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()
