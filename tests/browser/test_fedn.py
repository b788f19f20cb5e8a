"""`%manta fedn` in JupyterLab: what is seen of a package while it runs, and when it is over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.browser.cells import Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.screen import Monitor
from tests.browser.server import Server
from tests.fedn.packages import client

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(150)]

#: the index of the cell that starts the run, and of the one after it
RUN, AFTER = 1, 2
ROUNDS = 3
#: each round of `train` waits until the gate lets it through
HELD = """import os, sys, time
from model import load
while int(open(os.environ["GATE"]).read()) <= int(load(sys.argv[1])[1]):
    time.sleep(0.02)
"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture
def package(server: Server, gate: Gate) -> Path:
    """The package `good`, called as published ones are; a node's file of variables beside it."""
    folder = Path(shutil.copytree(client("good"), server.folder / "mnist-pytorch"))
    train = folder / "train.py"
    train.write_text(HELD + train.read_text(encoding="utf-8"), encoding="utf-8")
    names = [f"node_{index}" for index in range(3)]
    env = {name: {"TARGET": str(index), "GATE": str(gate.path)} for index, name in enumerate(names)}
    (server.folder / "env.json").write_text(json.dumps(env), encoding="utf-8")
    return folder


def running(opened: Opened, package: Path, *more: str) -> OpenNotebook:
    """A notebook that runs the package; `more` cells follow, not yet run."""
    line = f"%manta fedn {package.name} --nodes 3 --rounds {ROUNDS} --node-env env.json"
    notebook = opened(["%load_ext manta_nb", line, *more])
    notebook.run(0)
    notebook.run(RUN, timeout=60)
    return notebook


def use_theme(notebook: OpenNotebook, theme: str) -> None:
    """Switch JupyterLab to a theme, and wait until it is there."""
    notebook.command("apputils:change-theme", theme=THEMES[theme])
    light = "true" if theme == "light" else "false"
    notebook.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")


def test_a_package_is_seen_while_it_runs(opened: Opened, package: Path, gate: Gate) -> None:
    """Its tasks, the curves of its validations first, its lines; when it is over what is kept takes their place."""
    gate.open(2)
    notebook = running(
        opened,
        package,
        "from manta_nb import fedn\nfedn.validations(mnist_pytorch)",
        "fedn.trail(mnist_pytorch)",
    )
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(status="running", iteration=2, timeout=40)
    state = monitor.state()
    for theme in ("dark", "light"):
        use_theme(notebook, theme)
        monitor.drawn()
        shoot(monitor.root, f"fedn-running-{theme}")
    lines = monitor.tab("Logs").inner_text()
    shoot(monitor.root, "fedn-logs")
    gate.open()
    Monitor(notebook.output(RUN), kept=True).wait(status="completed", timeout=30)
    notebook.run(AFTER)
    notebook.run(AFTER + 1)
    shoot(notebook.cell(RUN), "fedn-over")
    shoot(notebook.cell(AFTER), "fedn-validations")
    shoot(notebook.cell(AFTER + 1), "fedn-trail")

    assert all(name in state["graph"] for name in ("train", "aggregate", "validate"))
    assert [label.split()[0].rstrip(",.:") for label in state["charts"]] == [
        "error",
        "closeness",
        "trained",
        "train_seconds",
        "validate_seconds",
    ]
    assert "Loss: " in lines
    assert notebook.ask("[mnist_pytorch.status, mnist_pytorch.iteration]") == ["completed", ROUNDS]
    assert "closeness" in notebook.output(AFTER).inner_text()
    assert "parent" in notebook.output(AFTER + 1).inner_text()
