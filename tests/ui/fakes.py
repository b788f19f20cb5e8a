"""A Session and Runs that look like the real ones and run nothing: real objects, without Dask."""

from __future__ import annotations

import atexit
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from manta_nb.errors import RunFailed, UsageError
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.logs import LogRow, LogTable
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.table import Node, NodeTable
from manta_nb.session.views import GlobalInfo, GlobalsView, ResultInfo, ResultsView
from manta_nb.store.opening import open_store
from manta_nb.ui import extension
from manta_nb.ui.magics import MantaMagics

__all__ = ["FakeRun", "FakeSession", "Shell", "Told"]


class FakeDisplay:
    """Keeps what it is asked to show."""

    def __init__(self, shown: list[Any]) -> None:
        self.shown = shown

    def show(self, run: Any, view: Any = None) -> None:
        self.shown.append(run if view is None else view)

    def monitor(self, run: Any) -> Any:
        self.shown.append(run)
        return run

    def know(self, session: Any) -> None:
        """No node is looked at."""

    def expect(self, run: Any) -> None:
        """Nothing of it follows."""

    def settle(self, run: Any) -> None:
        """Nothing to bring up to date."""

    def settle_ended(self, result: object = None) -> None:
        """Nothing to bring up to date."""


class FakeRun:
    """A run that stays running until it is waited for or stopped."""

    def __init__(
        self, session: FakeSession, swarm: Swarm, iterations: int | None, name: str, **options: Any
    ) -> None:
        self.session, self.swarm, self.iterations, self.name = session, swarm, iterations, name
        self.options = options
        self.run_id = uuid.uuid4().hex[:8]
        self.status, self.reason, self.error = "running", "", ""
        self.iteration = 3
        self.elapsed = 0.5
        self.started = time.time()
        self.seed = 7
        self.parent = None
        self.stored_session = self.head = None
        self.modules: dict[str, Any] = {}
        self.nodes = list(session.nodes)
        self.waits = 0
        self.metrics = MetricTable(
            [
                MetricRow(i, "node_0", "worker", n, None, v)
                for i in range(3)
                for n, v in (("loss", 1.0 - i), ("val_acc", i / 3))
            ]
        )
        self.logs = LogTable(
            [
                LogRow(0, "node_0", "worker", "stdout", "hello"),
                LogRow(0, "node_1", "worker", "INFO", "loss 1"),
            ]
        )
        self.globals = GlobalsView(
            swarm.globals.__getitem__, lambda: {t: GlobalInfo(None, 1) for t in swarm.globals}
        )
        self.results = ResultsView(
            lambda tag, iteration, latest: {"node_0": tag, "node_1": iteration},
            lambda: {"model_params": ResultInfo(2, ("node_0",), 8)},
        )
        self.graph = swarm.graph()

    @property
    def finished(self) -> bool:
        return self.status in ("completed", "stopped", "failed")

    def wait(self, timeout: float | None = None, check: bool = True) -> FakeRun:
        self.waits += 1
        if self.session.interrupts:
            self.session.interrupts -= 1
            raise KeyboardInterrupt
        if not self.finished:
            self.status = self.session.outcome
        if check and self.status == "failed":
            raise RunFailed(
                "worker failed on node_1 at Cell In[3], line 4: ZeroDivisionError: division by zero"
            )
        return self

    def stop(self, reason: str = "stopped by the user", timeout: float = 10) -> FakeRun:
        self.status, self.reason = "stopped", reason
        return self

    def resume(self, iterations: int | str | None = None, session: Any = None) -> FakeRun:
        if not self.finished:
            raise UsageError(f"{self.name} is running (3 of 20): it goes on by itself")
        self.status, self.iterations = "running", iterations or self.iterations
        return self

    def __repr__(self) -> str:
        return f"{self.name} {self.status}"

    def _ipython_display_(self) -> None:
        self.session.display.show(self)


class FakeSession:
    """Nodes that exist in name only."""

    #: set by a test: what becomes of runs that are waited for, and how many waits are interrupted
    outcome = "completed"
    interrupts = 0

    def __init__(
        self, nodes: int = 4, *, data: Any = None, say: Callable[[str], None] | None = None, **options: Any
    ) -> None:
        self.options = {"nodes": nodes, "data": data, **options}
        held = ("digits",) if data == "digits" else ()
        names = [f"node_{index}" for index in range(nodes)]
        self.nodes = NodeTable({name: Node(name, "idle", "worker-0", 1, held) for name in names})
        self.runs: list[FakeRun] = []
        self.closed = False
        self.notes: list[str] = []
        self.display: Any = None
        self.source = ""
        self.store = open_store("memory")
        self.tried: list[tuple[Any, ...]] = []

    @property
    def active(self) -> list[FakeRun]:
        return [run for run in self.runs if not run.finished]

    def run(
        self,
        swarm: Any,
        iterations: int | None = None,
        *,
        name: str | None = None,
        nodes: Sequence[str] | None = None,
        **options: Any,
    ) -> FakeRun:
        run = FakeRun(self, swarm, iterations, name or swarm.name, nodes=nodes, **options)
        self.runs.append(run)
        return run

    def try_on(self, module: Module, node_id: str, globals: Mapping[str, Any] | None = None) -> str:
        self.tried.append((module, node_id, globals))
        return f"tried {module.name} on {node_id}"

    def close(self) -> None:
        self.closed = True
        for run in self.active:
            run.stop()

    def __repr__(self) -> str:
        return f"{len(self.nodes)} nodes"


@dataclass
class Told:
    """What one cell gave: its value, what it printed and displayed, and its error."""

    value: Any
    out: str
    shown: list[str]
    error: BaseException | None

    @property
    def line(self) -> str:
        """The error as the notebook prints it."""
        assert self.error is not None, f"no error: {self.out}"
        return str(self.error)


class Shell:
    """An IPython shell of its own with the magics on a fake (or real) session."""

    def __init__(self, open_session: Callable[..., Any] = FakeSession) -> None:
        config = Config()
        # else the cells would end up in the person's own history
        config.HistoryManager.enabled = False
        self.ip = InteractiveShell(config=config)
        self.shown: list[Any] = []
        self.opened: list[Any] = []
        self.magics: MantaMagics = extension.load(
            self.ip,
            self._recorder(open_session),
            lambda: FakeDisplay(self.shown),
        )
        self.notebook = self.magics.notebook

    def _recorder(self, open_session: Callable[..., Any]) -> Callable[..., Any]:
        def open_and_record(**options: Any) -> Any:
            self.opened.append(open_session(**options))
            return self.opened[-1]

        return open_and_record

    @property
    def ns(self) -> dict[str, Any]:
        return self.ip.user_ns

    def cell(self, text: str) -> Told:
        """Run a cell as a notebook would; errors are kept, not raised."""
        with capture_output() as captured:
            result = self.ip.run_cell(text, store_history=True)
        shown = [str(output) for output in captured.outputs]
        return Told(result.result, captured.stdout, shown, result.error_in_exec or result.error_before_exec)

    def ok(self, *cells: str) -> Any:
        """Run cells that must work; the value of the last."""
        told = None
        for text in cells:
            told = self.cell(text)
            if told.error is not None:
                raise told.error
        return told

    def close(self) -> None:
        extension.unload(self.ip)
        # it would collect garbage at the end of the process, each of hundreds of shells for half a second
        atexit.unregister(self.ip.atexit_operations)
