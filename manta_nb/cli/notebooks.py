"""Where the notebooks of the course lie: in a checkout beside the package, else where the installer put them."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import manta_nb
from manta_nb.errors import UsageError

__all__ = ["checkout_folder", "notebook", "own_copies", "shipped"]


def checkout_folder() -> Path | None:
    """`notebooks/` of the checkout this package is run from; None where it is installed."""
    root = Path(manta_nb.__file__).parents[1]
    return root / "notebooks" if (root / "pyproject.toml").is_file() else None


def shipped() -> list[Path]:
    """The notebooks that came with the installed package, in order."""
    try:
        found = files("manta-nb") or []
    except PackageNotFoundError:
        return []
    return sorted(Path(str(file.locate())).resolve() for file in found if file.suffix == ".ipynb")


def notebook(name: str) -> Path:
    """One notebook of the course.

    Raises:
        UsageError: it is not there.
    """
    folder = checkout_folder()
    places = [folder / name] if folder is not None else [path for path in shipped() if path.name == name]
    for path in places:
        if path.is_file():
            return path
    raise UsageError(f"{name} is not part of this installation: pip install --force-reinstall manta-nb")


def own_copies(folder: Path) -> Path:
    """Copies of all notebooks to work in, made where there are none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in shipped():
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    return folder
