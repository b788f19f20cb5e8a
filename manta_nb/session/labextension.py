"""Whether JupyterLab finds the extension that comes with manta-nb, for `doctor`."""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["find", "folders"]

#: written in place of the extension where it could not be built: see `extension/hatch_builder.py`
_REASON = "not-built.txt"


def folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where JupyterLab of this Python looks for extensions; the first that has one counts.

    As in Jupyter's documentation, "Data files"; asking Jupyter itself would be importing it.
    """
    given: list[str] = [each for each in environ.get("JUPYTER_PATH", "").split(os.pathsep) if each]
    user = str(site.getuserbase())
    own = [Path(sys.prefix, "share", "jupyter"), Path(user, "share", "jupyter")]
    if data := environ.get("JUPYTER_DATA_DIR"):
        own.append(Path(data))
    system = [Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")] if os.name == "posix" else []
    return [each / "labextensions" for each in [*map(Path, given), *own, *system]]


def find(folders: Sequence[Path], wanted: str) -> tuple[str, str]:
    """What there is of the extension, and what to do about it ("" where it is as it should be).

    Args:
        folders: where JupyterLab looks for extensions, in its order.
        wanted: the version of manta-nb.

    Example:
        >>> find([], "0.1.0")
        ('none', 'pip install --force-reinstall --no-deps manta-nb')
    """
    again = "pip install --force-reinstall --no-deps manta-nb"
    for folder in (each / "manta-nb" for each in folders):
        if (reason := folder / _REASON).is_file():
            return f"not built: {_first_line(reason)}", "install Node 20 or newer, then make build"
        try:
            version = str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if version != wanted:
            return f"{version} in {folder}, of another manta-nb than this {wanted}", again
        return f"{version} in {folder}", ""
    return "none", again


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return lines[0][:120] if lines else "it does not say why"
