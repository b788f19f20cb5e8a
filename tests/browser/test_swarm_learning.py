"""`%%swarm_learning` in JupyterLab: what is seen of a script's merges while they go on, and when they are over."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.cells import Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.screen import Monitor
from tests.browser.test_fedn import use_theme

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

#: the index of the cell that starts the run, and of the first one after it
RUN, AFTER = 1, 2
#: merges: at the beginning, after each 8 of 40 batches, and at the end
MERGES = 7
#: each interval of training waits until the gate lets it through
SCRIPT = """%%swarm_learning mnist --nodes 3 --data digits --alpha 0.3 --min-peers 2 --seed 1 --env GATE={gate}
import os, time
import numpy as np
import torch
from swarm import SwarmCallback

with np.load(os.path.join(os.environ["DATA_DIR"], "digits.npz")) as file:
    x, y = torch.tensor(file["x_train"]).flatten(1), torch.tensor(file["y_train"])
    test = torch.utils.data.TensorDataset(torch.tensor(file["x_test"]).flatten(1), torch.tensor(file["y_test"]))
model = torch.nn.Linear(64, 10)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
callback = SwarmCallback(sync_interval=8, min_peers=int(os.environ["MIN_PEERS"]), val_data=test, model=model,
                         node_weightage=3 if os.environ["NODE_ID"] == "node_1" else 1)
callback.on_train_begin()
for batch in range(40):
    while int(open(os.environ["GATE"]).read()) <= 1 + batch // 8:
        time.sleep(0.02)
    mine = torch.randint(len(x), (32,))
    loss = torch.nn.functional.cross_entropy(model(x[mine]), y[mine])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    callback.on_batch_end()
    if batch % 8 == 7:
        print(f"batch {{batch + 1}}: loss {{loss.item():.4f}}")
callback.on_epoch_end(0)
callback.on_train_end()
"""


def table_of(notebook: OpenNotebook, index: int) -> str:
    """What a cell shows."""
    notebook.run(index)
    return notebook.output(index).inner_text()


def test_merges_are_seen_while_they_go_on(opened: Opened, gate: Gate) -> None:
    """Curves of every node, what scripts print, a cell that is free; over, the summary and tables of what took part."""
    gate.open(4)
    notebook = opened(
        [
            "%load_ext manta_nb",
            SCRIPT.format(gate=gate.path),
            "mnist.merges",
            "mnist.scripts",
            "mnist.compare()",
        ]
    )
    notebook.run(0)
    notebook.run(RUN, timeout=60)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(status="running", timeout=60)
    # how many merges there will be only the scripts know
    bar = monitor.root.get_by_role("progressbar", name="Iterations")
    expect(bar).to_have_attribute("aria-valuetext", "4 iterations committed", timeout=60_000)
    state = monitor.state()
    for theme in ("dark", "light"):
        use_theme(notebook, theme)
        monitor.drawn()
        shoot(monitor.root, f"swarm-learning-running-{theme}")
    early = table_of(notebook, AFTER)
    lines = monitor.tab("Logs").inner_text()
    shoot(monitor.root, "swarm-learning-logs")
    gate.open()
    Monitor(notebook.output(RUN), kept=True).wait(status="completed", timeout=60)
    merges, scripts = table_of(notebook, AFTER), table_of(notebook, AFTER + 1)
    notebook.run(AFTER + 2, timeout=60)
    for index, name in enumerate(("over", "merges", "scripts", "compared")):
        shoot(notebook.cell(RUN + index), f"swarm-learning-{name}")

    assert all(name in state["graph"] for name in ("train", "merge", "adopt"))
    assert [label.split()[0].rstrip(",.:") for label in state["charts"]][:3] == [
        "val_loss",
        "val_accuracy",
        "epochs",
    ]
    assert "batch 24: loss" in lines and "4 merges" in early
    assert f"{MERGES} merges" in merges and "interval" in merges and "3 nodes" in scripts
    assert notebook.ask("[mnist.status, mnist.iteration, mnist.merges[-1]['nodes']['node_1']]") == [
        "completed",
        MERGES,
        3,
    ]
    assert "central val_accuracy" in notebook.output(AFTER + 2).inner_text()
