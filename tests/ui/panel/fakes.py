"""Pages, shells and notebooks that are not there: real panels talk to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from IPython.core.events import EventManager, available_events

from manta_nb.engine.records import Failure
from manta_nb.sdk.context import Dataset
from manta_nb.session.node import Node
from manta_nb.session.pastruns import PastRuns
from manta_nb.session.table import NodeTable
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from manta_nb.ui.monitor.control import Switchboard
from manta_nb.ui.panel.panel import Panel
from manta_nb.ui.panel.traces import Traces
from tests.session.fake_run import FakeRun
from tests.waiting import until

__all__ = ["LONG", "Comm", "FakeNodes", "FakeNotebook", "Kernel", "LiveRun", "Page"]

LONG = 20.0


class LiveRun(FakeRun):
    """A run of this kernel."""

    stored_session: Any = None
    head: Any = None
    parent: Any = None

    def fail(self, failure: Failure | None, task: str = "worker") -> None:
        """Get over by a failure."""
        self.failed = SimpleNamespace(failure=failure, task=task)
        self.end("failed", reason="worker failed on node_0")

    @property
    def _driver(self) -> Any:
        return SimpleNamespace(finish=getattr(self, "failed", None))

    @property
    def _history(self) -> Any:
        nothing: dict[str, Any] = {}
        return SimpleNamespace(
            findings=SimpleNamespace(current=lambda: None),
            global_tags=lambda: nothing,
            result_tags=lambda: nothing,
            work=SimpleNamespace(doing={"node_1": ("worker", "running"), "node_2": ("worker", "done")}),
        )

    def stop(self, reason: str = "stopped by the user", timeout: float = 10) -> LiveRun:
        self.end("stopped", reason=reason, iteration=self.iteration)
        return self


class FakeNodes:
    """A session: nodes that exist in name only."""

    def __init__(self, count: int, folder: Path | None = None, store: Store | None = None) -> None:
        self.names = [f"node_{index}" for index in range(count)]
        self.states: dict[str, str] = {}
        self.folder = folder
        self.closed = False
        self.runs: list[Any] = []
        self.options: dict[str, Any] = {"nodes": count}
        self.store = store or open_store("memory")
        self.looked = 0

    @property
    def nodes(self) -> NodeTable:
        self.looked += 1
        return NodeTable(
            {name: Node(name, self.states.get(name, "idle"), "worker-0", 1, ()) for name in self.names}
        )

    @property
    def active(self) -> list[Any]:
        return [run for run in self.runs if not run.finished]

    def record(self, node_id: str) -> Any:
        if self.folder is None:
            return SimpleNamespace(datasets={})
        arrays = {}
        for key, rows in (("x_train", 30), ("y_train", 30), ("x_test", 10)):
            path = self.folder / f"{key}.npy"
            if not path.exists():
                np.save(path, np.zeros((rows, 2)))
            arrays[key] = path
        return SimpleNamespace(datasets={"digits": Dataset(arrays=arrays)})

    def __repr__(self) -> str:
        return f"{len(self.names)} nodes"


@dataclass
class FakeNotebook:
    """A notebook with the magics, as far as a panel asks it."""

    store: Store = field(default_factory=lambda: open_store("memory"))
    session: Any = None
    modules: dict[str, Any] = field(default_factory=dict)
    namespace: dict[str, Any] = field(default_factory=dict)
    traces: Traces = field(default_factory=Traces)
    here: str = ""
    live: list[Any] = field(default_factory=list)
    #: how often the store was listed
    listed: int = 0

    @property
    def sessions(self) -> list[Any]:
        return [] if self.session is None else [self.session]

    def runs(self) -> list[Any]:
        return list(self.live)

    def past(self, store: Store | None = None) -> PastRuns:
        self.listed += 1
        opened: Callable[[str], Any] = lambda run_id: FakeRun(run_id)  # noqa: E731 - one word for it
        return PastRuns(self.store, self.runs, opened, self.here)


class Comm:
    """A data comm, as a page opened it."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.closed = False
        self.threads: set[str] = set()
        self.handle_msg: Callable[[Any], None] = lambda message: None
        self.handle_close: Callable[[Any], None] = lambda message: None
        self._on_close: Callable[[Any], None] = lambda message: None

    def send(self, data: Any) -> None:
        self.threads.add(threading.current_thread().name)
        self.got.append(data)

    def close(self) -> None:
        self.closed = True

    def on_close(self, callback: Callable[[Any], None]) -> None:
        self._on_close = callback

    def leaves(self) -> None:
        """The page closes it."""
        self._on_close({})


class Kernel:
    """A panel in a kernel that is none; `beacons` are those that were lit."""

    def __init__(self) -> None:
        self.shell = SimpleNamespace(user_ns={}, displayhook=None)
        self.shell.events = EventManager(self.shell, available_events)
        self.board = Switchboard()
        self.beacons: list[Comm] = []
        self.panel = Panel(self.shell, self.board, self._light)

    def _light(self) -> Comm:
        self.beacons.append(Comm())
        return self.beacons[-1]

    @property
    def threads(self) -> list[str]:
        """Those of panels, here and now."""
        return [each.name for each in threading.enumerate() if each.name == "manta-nb-panel"]


class Page:
    """A page that looks at such a kernel."""

    def __init__(self, kernel: Kernel, token: str = "page-1") -> None:  # noqa: S107 - it names a page
        self.kernel = kernel
        self.comm = Comm()
        self._asked = 0
        kernel.panel.opened(self.comm, {"content": {"data": {"token": token, "protocol": 1}}})
        self.control = control = Comm()
        kernel.board.opened(control, {"content": {"data": {"token": token, "protocol": 1}}})

    def says(self, data: object) -> None:
        """Something comes on the control comm."""
        self.control.handle_msg({"content": {"data": data}})

    def asks(self, op: str, **question: object) -> dict[str, Any]:
        """The answer to a question."""
        self._asked += 1
        ask = self._asked
        self.says({"op": op, "ask": ask, **question})

        def answers() -> list[dict[str, Any]]:
            return [each for each in self.comm.got if each["op"] == "answer" and each["ask"] == ask]

        until(answers, LONG)
        return answers()[0]

    @property
    def states(self) -> list[dict[str, Any]]:
        """The messages about what there is."""
        return [each for each in self.comm.got if each["op"] == "state"]

    @property
    def known(self) -> dict[str, Any]:
        """The sections as the page knows them."""
        known: dict[str, Any] = {}
        for message in self.states:
            known = {**({} if message["full"] else known), **message}
        return known

    def sees(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The sections, as soon as they are so."""
        until(lambda: self.states and condition(self.known), LONG)
        return self.known
