"""Where in a tree of files a package is, and which of its files belong to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatch

from manta_nb.errors import PackageError
from manta_nb.sdk.names import listed, shorten

__all__ = [
    "IGNORE_FILES",
    "SETTINGS_FILE",
    "SPEC_FILES",
    "Ignored",
    "Root",
    "clean",
    "find_root",
    "is_clutter",
    "missing_spec",
]

#: what says which entry points there are; the second is FEDn's later name
SPEC_FILES = ("fedn.yaml", "scaleout.yaml")
IGNORE_FILES = (".fednignore", ".scaleoutignore")
#: what some packages open as `../client_settings.yaml` or `../../client_settings.yaml`
SETTINGS_FILE = "client_settings.yaml"
#: of this folder FEDn takes the files first
CLIENT = "client"

#: folders and files that tools leave, and that no program of a package opens
_CLUTTER = frozenset({
    "__pycache__", "__MACOSX", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".DS_Store", "Thumbs.db",
})  # fmt: skip
_LONGEST_PART = 255
_LONGEST_PATH = 2000


@dataclass(frozen=True)
class Root:
    """The folder of a package within a tree: `""` where the package is the tree."""

    folder: str
    #: "fedn.yaml"
    spec_file: str
    #: others that could have been meant as well
    rivals: tuple[str, ...] = ()

    def inside(self, path: str) -> str | None:
        """`path` as the package sees it; None: it is not in the package."""
        if not self.folder:
            return path
        return path[len(self.folder) + 1 :] if path.startswith(f"{self.folder}/") else None

    @property
    def beside(self) -> str:
        """The path of `client_settings.yaml` beside the folder, in the same tree."""
        above = self.folder.rpartition("/")[0]
        return f"{above}/{SETTINGS_FILE}" if above else SETTINGS_FILE


def find_root(paths: Collection[str]) -> Root | None:
    """The shallowest folder with a `fedn.yaml`; at equal depth `client`, then the first by name.

    `scaleout.yaml` counts where there is no `fedn.yaml` anywhere. None: there is neither.

    Example:
        `find_root(["client/fedn.yaml", "data/x.npz"])` is `Root("client", "fedn.yaml")`.
    """
    for name in SPEC_FILES:
        folders = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == name}
        if folders:
            depth = min(map(_depth, folders))
            first, *others = sorted((f for f in folders if _depth(f) == depth), key=_preference)
            return Root(first, name, tuple(others))
    return None


def clean(name: str, of: str) -> str:
    """The name of a member of an archive as a relative path without `.`; `""` is the top.

    Raises:
        PackageError: it leads outside, or could not be a path; `of` is what the archive is called.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    told = shorten(repr(name), 60)
    drive = len(name) > 1 and name[1] == ":" and name[0].isalpha() and name[2:3] in ("/", "\\")
    if name.startswith("/") or drive or ".." in parts:
        raise PackageError(f"{of} is refused: its member {told} leads outside of it")
    if "\0" in name or any(ord(letter) < 32 for letter in name):
        raise PackageError(f"{of} is refused: its member {told} has control characters in its name")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise PackageError(f"{of} is refused: the name of its member {told} is not UTF-8") from None
    if max(sizes, default=0) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_PATH:
        raise PackageError(f"{of} is refused: the name of its member {told} is too long")
    return "/".join(parts)


def is_clutter(path: str, environments: Iterable[str] = ()) -> bool:
    """Whether a file is left out of every package; `environments` are the folders that hold a `pyvenv.cfg`."""
    parts = path.split("/")
    if not _CLUTTER.isdisjoint(parts) or parts[-1].startswith("._"):
        return True
    return any(path == folder or path.startswith(f"{folder}/") for folder in environments if folder)


class Ignored:
    """The patterns of `.fednignore`, as `fnmatch` reads them: for the path in the package, and for the name.

    Example:
        `Ignored("*.npz\\nnotes/")("models/seed.npz")` is True.
    """

    def __init__(self, text: str = "") -> None:
        lines = (line.strip() for line in text.splitlines())
        self._patterns = [line.rstrip("/") for line in lines if line and not line.startswith("#")]

    def __call__(self, path: str) -> bool:
        """Whether a file or folder is left out itself; a folder takes with it what it holds."""
        name = path.rpartition("/")[2]
        return any(fnmatch(path, pattern) or fnmatch(name, pattern) for pattern in self._patterns)


def missing_spec(what: str, names: Iterable[str]) -> PackageError:
    """There is no `fedn.yaml` in `what`, which has `names` at its top."""
    there = [shorten(name, 30) for name in sorted(names)][:4]
    has = f"it has {listed(there)}" if there else "it is empty"
    return PackageError(f"{what} has no fedn.yaml: {has}; a package has one that names its entry points")


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _preference(folder: str) -> tuple[bool, str]:
    return folder.rpartition("/")[2] != CLIENT, folder
