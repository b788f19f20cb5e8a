"""`manta-nb demo`: executes the first notebook for real, and shows what came of it."""

from __future__ import annotations

import base64
import os
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError

from manta_nb.cli.console import Console
from manta_nb.cli.execute import execute
from manta_nb.cli.notebooks import notebook
from manta_nb.session.digest import seconds_text

__all__ = ["main"]

NAME = "01_first_swarm"
#: the cells of that notebook whose text is shown: the table of its run, the accuracy of the model that came of it
_ACCURACY, _END = "accuracy", "model-back"
FAILED = 1


def main(options: Namespace, console: Console) -> int:
    """Execute the notebook in a folder of the user's; 1 where a cell failed."""
    folder = Path(options.folder).expanduser().resolve()
    target = folder / f"{NAME}.ipynb"
    console.say("federated digits: 8 nodes learn one model, and no image leaves its node")
    console.say("starting a notebook kernel and the nodes …")
    begun = time.monotonic()
    # Cells that wait for their runs show them as they go.
    environment = {**os.environ, "MANTA_NB_BLOCK": "1", "MANTA_NB_LIVE": "widget"}
    try:
        done = execute(notebook(f"{NAME}.ipynb"), target, environment, _Live(console).told)
    except CellExecutionError as error:
        console.say(f"a cell failed; the notebook as far as it came: {target}\n{error}")
        return FAILED
    picture = _save_picture(done, folder / f"{NAME}.png")
    console.give(f"\n{_text(done, _ACCURACY)}\n\n{_text(done, _END)}\n")
    console.give(f"executed notebook: {target}\nits picture:       {picture}")
    console.say(f"done in {seconds_text(time.monotonic() - begun)}; now open the notebooks: manta-nb lab")
    return 0


class _Live:
    """Says the headline of whatever a cell shows: the nodes, the modules, each step of a run; each once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def told(self, text: str) -> None:
        """A cell shows this, or shows it anew."""
        line = text.partition("\n")[0]
        if " · " in line and line not in self._said:
            self._said.add(line)
            self._console.say(f"  {line}")


def _cell(done: Any, cell_id: str) -> Any:
    return next(cell for cell in done.cells if cell.id == cell_id)


def _text(done: Any, cell_id: str) -> str:
    """What a cell printed and showed, as text."""
    shown = (
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in _cell(done, cell_id).outputs
    )
    return "\n".join(text.strip() for text in shown)


def _save_picture(done: Any, path: Path) -> Path:
    """Save the curves that the notebook plots as a file of their own."""
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    path.write_bytes(base64.b64decode(pictures[0]))
    return path
