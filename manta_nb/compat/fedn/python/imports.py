"""Which modules the programs of a package import and a node does not have, and the pip command for each."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from manta_nb.sdk.names import shorten

__all__ = ["missing_imports", "missing_in_tail", "pip_command"]

#: what the shim provides
_PROVIDED = frozenset({"fedn"})
_OF_THE_EXTRA = frozenset({"docker", "fire"})
#: distributions that are called otherwise than what is imported
_DISTRIBUTIONS = {
    "Bio": "biopython", "Crypto": "pycryptodome", "OpenSSL": "pyopenssl", "PIL": "pillow", "attr": "attrs",
    "bs4": "beautifulsoup4", "cv2": "opencv-python-headless", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
    "git": "GitPython",
    "imblearn": "imbalanced-learn", "jwt": "PyJWT", "ruamel": "ruamel.yaml", "skimage": "scikit-image",
    "sklearn": "scikit-learn", "umap": "umap-learn", "yaml": "pyyaml",
    # with what it depends on, pip would bring another torch
    "torchvision": "--no-deps torchvision pillow",
}  # fmt: skip
_NOT_FOUND = re.compile(r"(?:ModuleNotFound|Import)Error: No module named '?([\w.]+)'?")


def missing_imports(sources: Mapping[str, str], start: Iterable[str] | None = None) -> list[str]:
    """A line for each module that the programs import whatever happens, and that cannot be found; nothing is imported.

    Imports within `if`, `try` and functions are left alone, as are those of a program that changes `sys.path`.

    Args:
        sources: path → text, as `Package.sources()` gives them.
        start: the programs that are called, such as `["train.py"]`: only they and what they import of the package
            are looked at; None: all.

    Example:
        `["train.py imports cv2, which is not installed: pip install opencv-python-headless"]`
    """
    own = _own_modules(sources)
    found: dict[str, str] = {}
    for path in sources if start is None else _reached(sources, start):
        if "sys.path" in sources[path]:
            continue
        for name in _imported(sources[path]):
            top = name.partition(".")[0]
            if top not in own and top not in found and not _is_there(top):
                found[top] = path
    return [
        f"{shorten(path, 60)} imports {shorten(top, 40)}, which is not installed: {pip_command(top)}"
        for top, path in found.items()
    ]


def missing_in_tail(tail: Iterable[str], sources: Collection[str] = ()) -> str | None:
    """The same line for the module that a failed program did not find, by its last lines; None: it failed otherwise.

    Example:
        `missing_in_tail(outcome.tail)` is `"monai is not installed: pip install monai"`.
    """
    for line in reversed(list(tail)):
        if found := _NOT_FOUND.search(line):
            top = found[1].partition(".")[0]
            if top in _own_modules(sources) or top in _PROVIDED:
                return None
            return f"{shorten(top, 60)} is not installed: {pip_command(top)}"
    return None


def pip_command(module: str) -> str:
    """What brings a module: `pip install scikit-learn` for `sklearn`."""
    if module in _OF_THE_EXTRA:
        return "pip install 'manta-nb[fedn]'"
    return f"pip install {_DISTRIBUTIONS.get(module, shorten(module, 60))}"


def _imported(text: str) -> Iterator[str]:
    """The modules that a program imports at its top, unconditionally; of a program with a mistake none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            yield statement.module


def _reached(sources: Mapping[str, str], start: Iterable[str]) -> list[str]:
    """The programs in `start`, and those of the package that they import."""
    ahead = [path.removeprefix("./") for path in start]
    reached: dict[str, None] = {}
    while ahead:
        path = ahead.pop(0)
        if path in sources and path not in reached:
            reached[path] = None
            for name in _imported(sources[path]):
                below = name.replace(".", "/")
                ahead += [f"{below}.py", f"{below}/__init__.py"]
    return list(reached)


def _own_modules(paths: Iterable[str]) -> set[str]:
    """Whatever could be a module of the package: files and folders at any depth, as `sys.path` may be anywhere."""
    own: set[str] = set()
    for path in map(PurePosixPath, paths):
        own |= {path.stem, *path.parts[:-1]}
    return own


def _is_there(top: str) -> bool:
    if top in _PROVIDED or top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError, AttributeError):
        return top in sys.modules
