"""What stands in for the browser and for a run's feed: they keep what they get."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from manta_nb.session.feed import Message
from manta_nb.ui.monitor.control import switchboard
from manta_nb.ui.monitor.monitor import Monitor
from tests.session.fake_run import FakeRun
from tests.waiting import until

LONG = 20.0


class Browser:
    """A model whose messages a test reads, in the order they came."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.model_id = "m1"
        self.note = ""
        self.got: list[dict[str, Any]] = []
        self.threads: list[str] = []
        self.closed = False
        self._callbacks: list[Callable[..., None]] = []

    def send(self, content: Any, buffers: Any = None) -> None:
        self.got.append(content)
        self.threads.append(threading.current_thread().name)

    def on_msg(self, callback: Callable[..., None]) -> None:
        self._callbacks.append(callback)

    def close(self) -> None:
        self.closed = True

    def says(self, command: object) -> None:
        """Something comes on the data model."""
        for callback in self._callbacks:
            callback(self, command, [])

    def ops(self) -> list[str]:
        return [content["op"] for content in self.got]

    def wait(self, op: str, count: int = 1) -> dict[str, Any]:
        """The message of that kind, as soon as it is there."""
        until(lambda: self.ops().count(op) >= count, LONG)
        return [content for content in self.got if content["op"] == op][count - 1]


class CountingFeed:
    """Says how far the run is whenever that has changed."""

    def __init__(self, run: FakeRun) -> None:
        self.run = run
        self.seq = 0
        self.told: object = None
        self.rest = 0
        self.broken: Exception | None = None
        self.held = threading.Event()
        self.held.set()

    def full(self) -> Message:
        return self._message("full")

    def delta(self) -> Message | None:
        if self.broken is not None:
            raise self.broken
        if self.told == (self.run.status, self.run.iteration):
            return None
        return self._message("delta")

    def answer(self, command: Mapping[str, Any]) -> Message:
        assert self.held.wait(LONG)
        if command.get("tag") == "broken":
            raise ZeroDivisionError("division by zero")
        return Message({"op": "answer", "ask": command["ask"], "ok": True, "text": str(command.get("tag"))})

    def background(self) -> None:
        self.rest += 1

    def _message(self, op: str) -> Message:
        self.told = (self.run.status, self.run.iteration)
        self.seq += 1
        return Message({"op": op, "seq": self.seq, "iteration": self.run.iteration})


class Buttons:
    """Does to a fake run what buttons do."""

    def __init__(self, run: FakeRun) -> None:
        self.run = run
        self.done: list[tuple[Any, ...]] = []

    def stop(self) -> str:
        self.run.end("stopped", iteration=self.run.iteration)
        return "fl is stopped"

    def resume(self) -> str:
        self.run.move(status="running")
        return "fl goes on"

    def node(self, action: str, node_id: str, factor: float | None, seconds: float | None) -> str:
        self.done.append((action, node_id, factor, seconds))
        return f"{action} {node_id}"


class Comms:
    """A comm manager without a kernel."""

    def __init__(self) -> None:
        self.targets: dict[str, Callable[..., None]] = {}

    def register_target(self, target_name: str, f: Callable[..., None]) -> None:
        self.targets[target_name] = f


class Comm:
    """A comm that a browser opened."""

    def __init__(self, comms: Comms, **data: object) -> None:
        self.closed = False
        self.handle_msg: Callable[[Mapping[str, Any]], None] = lambda message: None
        comms.targets["manta_nb.ctl"](self, {"content": {"data": data}})

    def close(self) -> None:
        self.closed = True

    def says(self, command: object) -> None:
        self.handle_msg({"content": {"data": command}})


class Desk:
    """A monitor with everything around it."""

    def __init__(self, run: FakeRun, busy: bool = False) -> None:
        self.run, self.feed, self.buttons, self.comms = run, CountingFeed(run), Buttons(run), Comms()
        self.browser = Browser()
        #: seconds, which pass as a test says
        self.now, self.busy = 0.0, busy
        board = switchboard(self.comms)
        self.monitor = Monitor(
            run,
            self.feed,
            self.buttons,
            self._model,
            board,
            lambda: self.busy,
            pause=0.0,
            clock=lambda: self.now,
        )

    def _model(self, token: str) -> Browser:
        self.browser.token = token
        return self.browser

    def comm(self) -> Comm:
        return Comm(self.comms, token=self.browser.token)
