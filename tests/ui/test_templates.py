"""The cells that the extension inserts, and the notebook that it begins: each runs as it is, and learns.

`extension/src/notebooks/template.ts` makes cells of the files as `cells` does here; its own tests are in
`extension/tests/waytemplates.test.ts`, and `tests/browser/test_launcher.py` inserts them for real.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from manta_nb.cli.execute import execute

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

TEMPLATES = Path(__file__).parents[2] / "extension" / "src" / "templates"
MARK = re.compile(r"^# %% \[(\w+)\] ?(\w*)$", re.MULTILINE)
Cell = tuple[str, str]


def cells(name: str) -> list[Cell]:
    """The cells of a template: their kinds and sources."""
    made: list[Cell] = []
    pieces = MARK.split((TEMPLATES / f"{name}.py").read_text(encoding="utf-8"))[1:]
    for kind, other, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        if kind == "template":
            made += cells(other)
        elif kind == "markdown":
            made.append((kind, re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)))
        else:
            made.append((kind, re.sub(r"^# (?=%)", "", body.strip(), flags=re.MULTILINE)))
    return made


def run_all(folder: Path, contents: Sequence[Cell]) -> Any:
    """Executes a notebook of these cells, in a kernel of its own."""
    new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    notebook = nbformat.v4.new_notebook(cells=[new[kind](source) for kind, source in contents])
    nbformat.write(notebook, folder / "source.ipynb")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MANTA_NB_")}
    environment = {**plain, "MANTA_NB_LIVE": "static"}
    return execute(folder / "source.ipynb", folder / "done.ipynb", environment, lambda text: None)


def printed(cell: Any) -> str:
    """What a cell printed."""
    return "".join(str(each.get("text", "")) for each in cell.outputs)


def test_a_new_notebook_learns(tmp_path: Path) -> None:
    """The notebook of the launcher card runs from top to bottom, and its model reads more than nine digits of ten."""
    contents = cells("notebook")
    done = run_all(tmp_path, [*contents, ("code", "fl.wait()\nprint(fl.reason)")])
    outputs = [each for cell in done.cells for each in cell.get("outputs", [])]
    accuracy = re.search(
        r"test accuracy of the shared model: (\S+)", "".join(map(printed, filter(is_code, done.cells)))
    )

    assert contents[0][1].startswith("# ")
    assert accuracy is not None and float(accuracy[1]) > 0.9
    assert printed(done.cells[-1]).startswith("stop_swarm() by scheduler")
    assert any("image/png" in each.get("data", {}) for each in outputs)


def is_code(cell: Any) -> bool:
    return str(cell.cell_type) == "code"


def fragile() -> list[Cell]:
    """The robust mean with a mean in its place."""
    changes = [
        ("import coordinate_median", "import mean"),
        ("coordinate_median(models)", "mean(models)"),
        ("robust_aggregator", "fragile_aggregator"),
        ("%%swarm robust", "%%swarm fragile"),
        ("robust.", "fragile."),
    ]
    return changed(cells("robust")[1:], changes)


def proximal(name: str, mu: float) -> list[Cell]:
    """FedProx with another mu, on the modules of FedProx."""
    changes = [
        ('set_global("mu", 0.1)', f'set_global("mu", {mu})'),
        ("%%swarm fedprox", f"%%swarm {name} --seed 7"),
        ("fedprox.", f"{name}."),
    ]
    return changed(cells("fedprox")[2:], changes)


def for_data(data: str, features: int, labels: int) -> list[Cell]:
    """FedAvg as the extension makes it for another dataset, under other names."""
    changes = [
        ('"digits"', f'"{data}"'),
        ("(64, 10)", f"({features}, {labels})"),
        ("zeros(10)", f"zeros({labels})"),
        ("fedavg_worker", f"{data}_worker"),
        ("fedavg_aggregator", f"{data}_aggregator"),
        ("%%swarm fedavg", f"%%swarm {data}"),
        ("fedavg.", f"{data}."),
    ]
    return changed(cells("fedavg"), changes)


def changed(contents: Sequence[Cell], changes: Sequence[tuple[str, str]]) -> list[Cell]:
    made = []
    for kind, source in contents:
        for old, new in changes:
            source = source.replace(old, new)  # noqa: PLW2901 - one change after the other
        made.append((kind, source))
    return made


RUNS = ["fl", "fedavg", "fedprox", "robust", "fragile", "free", "near", "wine", "breast_cancer"]


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """All templates, inserted into one notebook that has loaded the magics and no more; the last metrics of each."""
    unlike = ("code", "%manta start --nodes 4 --data digits --partition dirichlet --alpha 0.1")
    contents = [
        ("code", "%load_ext manta_nb"),
        *(cell for name in ("worker", "aggregator", "scheduler", "swarm") for cell in cells(name)),
        *(cell for name in ("fedavg", "fedprox", "robust") for cell in cells(name)),
        *fragile(),
        *(unlike, *proximal("free", 0), *proximal("near", 1)),
        *(("code", "%manta start --nodes 4 --data wine"), *for_data("wine", 13, 3)),
        *(("code", "%manta start --nodes 4 --data breast_cancer"), *for_data("breast_cancer", 30, 2)),
    ]
    names = ", ".join(f"{name!r}: {name}" for name in RUNS)
    told = f"""import json
runs = {{{names}}}
print(json.dumps({{name: {{
    metric: run.metrics.last(metric).mean for metric in ("accuracy", "distance") if metric in run.metrics.names()
}} for name, run in runs.items()}}))"""
    done = run_all(tmp_path_factory.mktemp("templates"), [*contents, ("code", told)])
    found: dict[str, dict[str, float]] = json.loads(printed(done.cells[-1]))
    return found


@pytest.mark.parametrize("name", ["fl", "fedavg", "fedprox"])
def test_it_learns(name: str, last: dict[str, dict[str, float]]) -> None:
    """Worker, aggregator, scheduler and swarm together, FedAvg and FedProx: more than nine digits of ten are read."""
    assert last[name]["accuracy"] > 0.9


def test_a_robust_mean_survives_a_liar(last: dict[str, dict[str, float]]) -> None:
    """One node of four sends noise: the median learns all the same, the mean in its place is ruined."""
    assert 'set_global("liars", ["node_0"])' in cells("robust")[2][1]
    assert last["robust"]["accuracy"] > 0.85
    assert last["fragile"]["accuracy"] < 0.6


def test_the_proximal_term_keeps_models_near(last: dict[str, dict[str, float]]) -> None:
    """With a larger mu a node's training ends nearer to the shared model: that is what FedProx is for."""
    assert last["near"]["distance"] < 0.7 * last["free"]["distance"]


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_other_bundled_data(name: str, last: dict[str, dict[str, float]]) -> None:
    """For the other bundled sets with labels only names and sizes change, and it learns."""
    assert last[name]["accuracy"] > 0.9
