"""Builds the prebuilt JupyterLab extension when manta-nb is installed from a checkout that has lost it.

The built files are committed, so that nobody needs Node to install a checkout. Where they are missing they are built
anew; where that is impossible the installation goes on without them, and `manta-nb doctor` says why.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hatch_jupyter_builder import npm_builder

__all__ = ["build"]

BUILT = Path("manta_nb/labextension")
#: says why there is no extension; `manta-nb doctor` reads it
REASON = BUILT / "not-built.txt"


def build(target_name: str, version: str, **options: object) -> None:
    """Build what is not there; called by hatch-jupyter-builder in the folder of pyproject.toml.

    Args:
        target_name: `wheel` or `sdist`.
        version: `standard` or `editable`.
        options: of `npm_builder`.
    """
    if (BUILT / "package.json").is_file():
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    try:
        npm_builder(target_name, version, **options)  # type: ignore[arg-type]
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        REASON.write_text(f"{error}\n", encoding="utf-8")
    else:
        REASON.unlink(missing_ok=True)
