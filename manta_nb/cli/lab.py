"""`manta-nb lab`: JupyterLab on the notebooks of the course."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from manta_nb.cli.console import Console
from manta_nb.cli.notebooks import checkout_folder, own_copies

__all__ = ["main"]


def _call(command: Sequence[str]) -> int:
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        # JupyterLab has been interrupted as well, and has asked what it had to.
        return 0


def main(options: Namespace, console: Console, call: Callable[[Sequence[str]], int] = _call) -> int:
    """Start JupyterLab with the Python that runs this; its exit code is ours."""
    folder = checkout_folder() or own_copies(Path("manta-notebooks").resolve())
    console.say(f"JupyterLab on {folder}; begin with 01_first_swarm.ipynb, end with Ctrl-C")
    return call([sys.executable, "-m", "jupyterlab", str(folder), *options.words])
