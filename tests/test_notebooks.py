"""The course: every notebook runs top to bottom, says the same however it waits, and is committed clean."""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from manta_nb.cli.execute import execute

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: a table of what was measured, which does not differ from time to time
CAPTION = re.compile(r"mean \(lowest–highest node\)|\d+ validations\n")
SWARM = re.compile(r"%%swarm(?:_learning)? (\w+)")


def read(path: Path) -> Any:
    """A notebook as it is committed."""
    return nbformat.read(path, as_version=4)


def texts(done: Any) -> list[str]:
    """What the cells of an executed notebook printed and showed."""
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]


def final_table(done: Any) -> str:
    """The last table of metrics."""
    return [text[found.start() :] for text in texts(done) if (found := CAPTION.search(text))][-1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path: Path) -> None:
    """A diff of a notebook is a diff of what people wrote."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]

    assert [cell.id for cell in cells if cell.outputs or cell.execution_count] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cell_after_a_swarm_waits(path: Path) -> None:
    """Run All in a notebook that does not block looks at a run that is over."""
    sources = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    swarms = [(name[1], after) for cell, after in pairwise(sources) if (name := SWARM.match(cell))]

    assert [name for name, after in swarms if not after.startswith(f"{name}.wait()")] == []


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_blocking_or_not_the_table_is_the_same(path: Path, tmp_path: Path) -> None:
    """Executed with and without `MANTA_NB_BLOCK`, in a folder and a kernel of its own; the saved files are small."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MANTA_NB_")}
    modes = {"free": {}, "blocked": {"MANTA_NB_BLOCK": "1"}}

    def executed(mode: str) -> str:
        environment = {**plain, **modes[mode], "MANTA_NB_LIVE": "static"}
        done = execute(path, tmp_path / mode / path.name, environment, lambda text: None)
        # nbclient leaves one in every thread
        asyncio.get_event_loop().close()
        return final_table(done)

    # both at once: much of the time goes by while processes start
    with ThreadPoolExecutor() as threads:
        free, blocked = threads.map(executed, modes)
    saved = [tmp_path / mode / path.name for mode in modes]

    assert free == blocked
    assert max(each.stat().st_size for each in saved) < 400_000
    assert not any("widget-view" in each.read_text(encoding="utf-8") for each in saved)


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(120)
def test_the_demo_teaches_more_than_nine_in_ten(tmp_path: Path) -> None:
    """`manta-nb demo` gives the accuracy of each iteration, and says where notebook and picture lie."""
    from manta_nb.cli.main import main
    from tests.cli.fakes import Streams

    streams = Streams()
    code = main(["demo", "--folder", str(tmp_path / "demo")], streams.console)
    accuracy = re.search(r"test accuracy of the shared model: (\S+)", streams.out)

    assert code == 0 and accuracy is not None and float(accuracy[1]) > 0.9
    assert CAPTION.search(streams.out)
    for name, start in (("01_first_swarm.ipynb", b"{"), ("01_first_swarm.png", b"\x89PNG")):
        written = tmp_path / "demo" / name
        assert str(written) in streams.out and written.read_bytes().startswith(start)
