"""The five minutes of the README, typed into a notebook as they stand there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest

from manta_nb.cli.execute import execute

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(180)
def test_the_five_minutes_run(tmp_path: Path) -> None:
    """Each block is a cell; none fails, and the model that comes out reads most of the ten digits it is shown."""
    cells = re.findall(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    source = tmp_path / "readme.ipynb"
    nbformat.write(notebook, source)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MANTA_NB_")}
    done = execute(source, tmp_path / "done.ipynb", plain, lambda text: None)
    last = done.cells[-1].outputs[0]["data"]["text/plain"]
    guesses, digits = (re.findall(r"\d+", part) for part in re.findall(r"\[(.+?)\]", last, re.DOTALL))

    assert len(cells) > 4
    assert sum(guess == digit for guess, digit in zip(guesses, digits, strict=True)) >= 8
