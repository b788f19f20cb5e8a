"""The notebook a lecturer wants to write (UX §1), word for word, in a real kernel on real nodes.

Where that page writes `...` the cells hold a small federated average of digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

LOAD = """%load_ext manta_nb
%manta start --nodes 8 --data digits --partition dirichlet --alpha 0.3      # comments allowed"""

MODEL = """%%module worker --file model.py
import torch.nn as nn
class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    def forward(self, x):
        return self.layers(x)
    def get_weights(self):
        return {name: value.numpy() for name, value in self.state_dict().items()}
    def set_weights(self, weights):
        mine = self.state_dict()
        self.load_state_dict({name: mine[name].new_tensor(value) for name, value in weights.items()})"""

WORKER = """%%module worker --all
import numpy as np, torch
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes
from .model import MLP
class Worker(Task):
    def run(self):
        d = self.local.get_numpy_data("digits")           # keys x_train y_train x_test y_test
        x, y = torch.from_numpy(np.asarray(d["x_train"])), torch.from_numpy(np.asarray(d["y_train"]))
        model = MLP()
        model.set_weights(bytes_to_numpy(self.world.globals["global_model_params"]))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
        for epoch in range(5):
            for rows in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
        with torch.no_grad():
            guess = model(torch.from_numpy(np.asarray(d["x_test"]))).argmax(1).numpy()
        acc = float((guess == d["y_test"]).mean())
        self.world.metric("val_acc", acc)
        self.world.results.add("model_params", numpy_to_bytes(model.get_weights()))"""

TRY = """worker.try_on("node_0", globals={"global_model_params": numpy_to_bytes(MLP().get_weights())})
# one task, once, on one node: what it read, added, logged, how long, how many bytes; %debug works"""

AGGREGATOR = """%%module aggregator
import numpy as np
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes
class Aggregator(Task):
    def run(self):
        found = bytes_to_numpy(self.world.results.select("model_params"))
        mean = {key: np.mean([each[key] for each in found.values()], axis=0) for key in next(iter(found.values()))}
        self.world.globals["global_model_params"] = numpy_to_bytes(mean)"""

SCHEDULER = """%%module scheduler
from manta_light.task import Task
class Scheduler(Task):
    def run(self):
        print(len(self.world.results.select("model_params")), "nodes trained")"""

SWARM = """%%swarm fl --iterations {rounds}
set_global("global_model_params", numpy_to_bytes(MLP().get_weights()))
worker >> aggregator >> scheduler"""

AFTER = """fl.wait()                                    # raises if the run failed: node, cell, line
fl.metrics.plot("val_acc")
model = MLP(); model.set_weights(bytes_to_numpy(fl.globals["global_model_params"]))
x, y = manta_nb.data.load("digits").test     # bundled sets are no secret: load them here"""

ACCURACY = """float((model(torch.from_numpy(x)).argmax(1).numpy() == y).mean())"""

CLASS = """from manta_nb import Swarm
class FLSwarm(Swarm):
    def __init__(self, n_workers=4):
        super().__init__()
        self.worker = worker.with_options(method="any", maximum=n_workers)
        self.set_global("global_model_params", numpy_to_bytes(MLP().get_weights()))
    def execute(self):
        m = self.worker()
        m = aggregator(m)
        return scheduler(m)
s = %manta start --nodes 8 --data digits --partition dirichlet --alpha 0.3
fl = s.run(FLSwarm(n_workers=8), iterations=2)
fl.wait().reason"""

CELLS = [
    LOAD,
    MODEL,
    WORKER,
    TRY,
    "rounds = 6",
    AGGREGATOR,
    SCHEDULER,
    SWARM,
    AFTER,
    ACCURACY,
    "fl.metrics",
    CLASS,
]


#: the same without the parts that take long
SHORT = [LOAD, MODEL, WORKER, AGGREGATOR, SCHEDULER, "rounds = 2", SWARM, "fl.metrics"]


def execute(
    texts: Sequence[str], folder: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """Run cells in a kernel of its own; the cells with their outputs."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in texts])
    NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return list(notebook.cells)


def text(cell: Any) -> str:
    """All that a cell printed and displayed, as text."""
    parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(parts)


def test_the_notebook_of_the_lecturer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs top to bottom, says what UX §1 says, and learns."""
    cells = dict(zip(CELLS, execute(CELLS, tmp_path, {"MANTA_NB_LIVE": "static"}, monkeypatch), strict=True))

    assert "8 nodes · digits: 1437 train, 360 test (the same on each node) · dirichlet 0.3" in text(
        cells[LOAD]
    )
    assert text(cells[MODEL]) == "worker v1 · model.py (In[2]) · no task yet"
    assert text(cells[WORKER]) == (
        "worker v2 · Worker.run (In[3]), model.py (In[2]) · every node with data · uses digits · "
        "reads global_model_params · adds model_params"
    )
    assert "global_model_params" in text(cells[TRY])
    assert "model_params" in text(cells[TRY])
    assert text(cells[SWARM]).startswith("worker ×8 → aggregator ×1 → scheduler ×1\n")
    assert "iteration 6 of 6" in text(cells[SWARM])
    assert float(text(cells[ACCURACY])) > 0.85
    assert text(cells[CLASS]).strip()


def test_blocking_gives_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `MANTA_NB_BLOCK=1` every cell shows a run that has ended, and the table of metrics has the same shape."""
    cells = execute(SHORT, tmp_path, {"MANTA_NB_BLOCK": "1", "MANTA_NB_LIVE": "static"}, monkeypatch)

    assert "completed" in text(cells[6])
    assert "val_acc" in text(cells[7])
