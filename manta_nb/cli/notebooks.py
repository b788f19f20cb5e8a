"""Where the notebooks of the course lie: in a checkout beside the package, in an installation inside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import manta_nb
from manta_nb.errors import UsageError

__all__ = ["checkout_folder", "notebook", "own_copies"]

_PACKAGE = Path(manta_nb.__file__).parent
_SHIPPED = _PACKAGE / "_notebooks"


def checkout_folder() -> Path | None:
    """`notebooks/` of the checkout this package is run from; None where it is installed."""
    folder = _PACKAGE.parent / "notebooks"
    return None if _SHIPPED.is_dir() or not folder.is_dir() else folder


def notebook(name: str) -> Path:
    """One notebook of the course.

    Raises:
        UsageError: it is not there.
    """
    path = (checkout_folder() or _SHIPPED) / name
    if not path.is_file():
        raise UsageError(f"{name} is not part of this installation: pip install --force-reinstall manta-nb")
    return path


def own_copies(folder: Path) -> Path:
    """Copies of all notebooks to work in, made where there are none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(_SHIPPED.glob("*.ipynb")):
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    return folder
