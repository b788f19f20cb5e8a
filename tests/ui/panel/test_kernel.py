"""A page and a real kernel, with real nodes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from manta_nb.store.opening import open_store
from manta_nb.ui.panel.digest import digest
from tests.session.past import kept
from tests.ui.panel.page import Page

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(150)]

ROOT = Path(__file__).parents[3]
#: what a page evaluates in a kernel of which it knows nothing
ANNOUNCE = "__import__('manta_nb.ui.panel.door', fromlist=['announce']).announce()"
WORKER = """%%module worker --all
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        self.world.metric("val_acc", self.world.iteration / 100)
        self.world.results.add("params", np.ones(4, np.float32))
        if self.world.iteration == self.world.globals["last"]:
            1 / 0
"""
AGGREGATOR = """%%module aggregator
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        self.world.globals["weights"] = sum(self.world.results.select("params").values())
"""
SWARM = """%%swarm fl --iterations {iterations}
import numpy as np
set_global("weights", np.zeros(4, np.float32))
set_global("last", {last})
worker >> aggregator
"""
BUSY = "import time\nfrom pathlib import Path\nwhile not Path('gate').exists(): time.sleep(0.01)"

Start = Callable[[], Page]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts kernels in one folder, with a page each."""
    ended: list[Callable[[], None]] = []

    def started() -> Page:
        environment = {name: value for name, value in os.environ.items() if name != "MANTA_HOME"}
        environment |= {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env=environment)
        ended.extend([client.stop_channels, lambda: manager.shutdown_kernel(now=True)])
        return Page(client)

    yield started
    for end in ended:
        end()


@pytest.fixture
def page(start: Start) -> Page:
    """A page that looks at a kernel with the magics, two nodes and two modules."""
    page = start()
    page.cell("%load_ext manta_nb", "c-load")
    page.look()
    page.cell("%manta start --nodes 2", "c-start")
    page.cell(WORKER, "c-worker")
    page.cell(AGGREGATOR, "c-aggregator")
    assert "Error" not in page.printed, page.printed
    return page


def test_a_kernel_without_the_magics_shows_what_is_kept(start: Start, tmp_path: Path):
    """What a page evaluates says nothing and leaves nothing; asked twice there is one beacon; loading takes over."""
    store = open_store(tmp_path / ".manta")
    run_id = kept(store, 1, "before")
    store.close()
    page = start()
    page.cell("names = set(dir())")
    told = [page.evaluate(ANNOUNCE) for _ in range(2)]
    page.cell("print('left:', {name for name in set(dir()) - names if name[:2] != '_i'} - {'names'})")
    page.look()
    past = page.wait(lambda page: page.known.get("runs") and page.known)
    page.cell("%load_ext manta_nb")
    loaded = page.wait(lambda page: page.known["kernel"]["loaded"] and page.known)

    assert told[0] == told[1] and "'" in told[0]
    assert page.printed == "left: set()\n"
    assert page.opened.count("manta_nb.beacon") == 1
    assert (past["kernel"]["loaded"], past["session"]) == (False, None)
    assert [run["run_id"] for run in past["runs"]] == [run_id]
    assert [global_["tag"] for global_ in loaded["chosen"]["globals"]] == ["w"]


def test_questions_are_answered_while_a_cell_runs(page: Page, tmp_path: Path):
    """Value, completion, monitor, stop: on shells of their own, as the cell waits for a file that is not there yet."""
    page.cell(SWARM.format(iterations=100_000, last=-1), "c-swarm")
    busy = page.run(BUSY, "c-busy")
    run = page.wait(lambda page: page.known.get("runs") and page.known["runs"][0]["iteration"] and page.known)
    run_id = run["runs"][0]["run_id"]
    value = page.ask("value", run=run_id, kind="global", tag="weights")
    result = page.ask("value", run=run_id, kind="result", tag="params", node="node_1")
    offered = page.ask("complete", text='fl.globals["we', at=14)
    monitor = page.ask("monitor", run=run_id)
    stopped = page.ask("stop", run=run_id)
    meanwhile = busy in page.ended
    (tmp_path / "gate").touch()
    page.wait(lambda page: busy in page.ended)

    assert not meanwhile
    assert [each["ok"] for each in (value, result, offered, monitor, stopped)] == [True] * 5
    assert value["value"]["type"] == "float32 (4,)" and value["value"]["stats"]["min"] >= 0
    assert result["value"]["shape"] == [4]
    assert [each["text"] for each in offered["completions"]] == ["weights"]
    assert len(monitor["model"]) == 32
    chosen = page.wait(lambda page: not page.known["runs"][0]["can_stop"] and page.known["chosen"])
    assert {each["tag"]: each["type"] for each in chosen["globals"]} == {
        "weights": "float32 (4,)",
        "last": "-1",
    }
    assert chosen["results"][0]["nodes"] == ["node_0", "node_1"]
    assert chosen["globals"][0]["code"] == 'fl.globals["weights"]'


def test_a_run_fails_in_its_cell_and_goes_on(page: Page):
    """The row has the swarm's cell, and the module's cell and line where it failed; resume is the same run."""
    text = SWARM.format(iterations=5, last=2)
    page.cell(text, "c-swarm")
    (row,) = page.wait(lambda page: _first(page).get("failure") and page.known["runs"])
    resumed = page.ask("resume", run=row["run_id"])
    page.wait(lambda page: "goes on" in resumed["text"] and _first(page)["status"] == "failed")

    assert (row["cell"], row["digest"]) == ("c-swarm", digest(text.partition("\n")[2]))
    assert (row["failure"]["cell"], row["failure"]["line"]) == ("c-worker", 10)
    assert row["failure"]["message"].startswith("ZeroDivisionError")
    assert row["failure"]["task"] == "worker"
    assert row["can_resume"]
    assert [each["cells"][0]["cell"] for each in page.known["modules"]] == ["c-worker", "c-aggregator"]
    assert [node["node"] for node in page.known["session"]["nodes"]] == ["node_0", "node_1"]


def test_unloading_ends_it_all(page: Page):
    """The comms are closed, no thread is left, and loading again lights another beacon."""
    page.wait(lambda page: page.known.get("session"))
    page.cell("%unload_ext manta_nb")
    page.wait(lambda page: page.messages[-1]["op"] == "closed")
    page.cell("import threading\nprint([t.name for t in threading.enumerate() if 'manta-nb' in t.name])")
    page.cell("%load_ext manta_nb")

    assert page.printed.endswith("[]\n")
    assert page.opened.count("manta_nb.beacon") == 2


def _first(page: Page) -> dict[str, Any]:
    runs = page.known.get("runs") or [{}]
    found: dict[str, Any] = runs[0]
    return found
