"""The outputs of one run in a notebook, replaced or updated by their display id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from IPython.display import publish_display_data as send

from manta_nb.render import esc
from manta_nb.session.summary import bundle, summarise
from manta_nb.ui.follow import PAUSE, Follower, Shows, WatchedRun

__all__ = ["WIDGET", "LiveDisplay", "Opened", "Publish", "publish"]

WIDGET = "application/vnd.jupyter.widget-view+json"
#: publish(data, display_id, update)
Publish = Callable[[dict[str, Any], str, bool], None]


class Opened(Protocol):
    """A monitor in the browser; see `manta_nb.ui.monitor.monitor.Monitor`."""

    @property
    def view(self) -> Mapping[str, Any]:
        """What an output holds that shows it."""

    def trouble(self) -> str:
        """Why nobody can see it; "" while that is not known."""

    def tell(self, note: str) -> None:
        """What a screen says that finds no kernel."""

    def holds(self) -> bool:
        """Whether somebody stopped the run here, and may want to resume it here."""

    def close(self, stays: Mapping[str, Any] | None = None) -> None:
        """Its output is replaced by now, with `stays`."""


def publish(data: dict[str, Any], display_id: str, update: bool) -> None:
    """Make an output in the running cell, or replace every output with that id."""
    send(data, transient={"display_id": display_id}, update=update)  # type: ignore[no-untyped-call]


@dataclass
class _Output:
    """One output: of a view or of the run itself, by its monitor where there is one."""

    view: Shows | None = None
    monitor: Opened | None = None
    #: one line above a summary that stands for a monitor
    said: str = ""
    #: what stays, made once
    final: dict[str, Any] | None = None


class LiveDisplay:
    """All outputs of one run in a notebook; each shows the run or one view of it.

    While the run goes on a thread updates them (not if `live` is False: then they change at the end only). An output
    with a monitor updates itself; a front end that cannot show it gets the summary instead.
    """

    def __init__(
        self, run: WatchedRun, publish: Publish = publish, live: bool = True, pause: float = PAUSE
    ) -> None:
        self.run = run
        #: whether one of the outputs is the run's monitor, or stands for it
        self.monitored = False
        #: whether its outputs are final; the run may have been resumed since
        self.over = False
        self._publish = publish
        self._live = live
        self._lock = threading.Lock()
        self._outputs: dict[str, _Output] = {}
        self._pause = pause
        self._unwatch: Callable[[], None] = lambda: None
        self.follower = None if run.finished else self._followed()

    def add(
        self,
        view: Shows | None = None,
        monitor: Opened | None = None,
        said: str = "",
        stays: bool = False,
    ) -> str:
        """A new output in the running cell, of the run itself or of `view`; returns its display id.

        A monitor that `stays` was opened on a run that was over: it is there until `retire`, or until the run, which
        may go on from here, is over again.
        """
        display_id, output = uuid4().hex, _Output(view, monitor, said)
        self.monitored |= monitor is not None
        with self._lock:
            data = self._data(output)
            if monitor is not None:
                data = data | {WIDGET: dict(monitor.view)}
            elif not self._live and not self.run.finished:
                data = {"text/plain": data["text/plain"]}
            self._outputs[display_id] = output
            self._send(data, display_id, update=False)
        if stays:
            self._unwatch = self.run.watch(self._revive)
        elif monitor is not None and self.run.finished:
            # it ended while the monitor was being opened
            self.refresh()
        return display_id

    def retire(self) -> None:
        """Replace the monitors that stay: another one of the same run takes over."""
        self._unwatch()
        self.refresh()

    def expect(self) -> None:
        """The run, which is over, may go on from a screen elsewhere: then these outputs go on with it."""
        if self.over and self._live:
            self._unwatch()
            self._unwatch = self.run.watch(self._revive)

    def refresh(self) -> None:
        """Update every output from the calling thread; after the end with what stays."""
        with self._lock:
            self.over = self.over or self.run.finished
            for display_id, output in list(self._outputs.items()):
                self._refresh(display_id, output)
        if self.over and self.follower is not None:
            self.follower.release()

    def _refresh(self, display_id: str, output: _Output) -> None:
        if output.monitor is not None and not self.over:
            self._look_after(output)
        if self.over or (self._live and output.monitor is None):
            self._send(self._data(output), display_id, update=True)
        if output.monitor is not None and self.over:
            # After its output was replaced: a view whose model goes leaves a hole.
            output.monitor.close(self._data(output))
            output.monitor = None

    def _followed(self) -> Follower:
        return Follower(self.run, self._tick, self._end, self._pause, hold=self._holds)

    def _revive(self, run: WatchedRun) -> None:
        """A run that was over goes on: it is followed to its end."""
        if run.finished:
            return
        self._unwatch()
        with self._lock:
            # not where the run was resumed on its own screen, which holds on to it
            if self._outputs and (self.over or self.follower is None):
                for output in self._outputs.values():
                    output.final = None
                self.over = False
                self.follower = self._followed()

    def _end(self) -> bool:
        """The end, from the follower's thread; nothing where a waiting cell has shown it. Whether it is shown."""
        if not self.over:
            self.refresh()
        return self.over

    def _holds(self) -> bool:
        with self._lock:
            return not self.over and any(
                output.monitor.holds() for output in self._outputs.values() if output.monitor is not None
            )

    def _look_after(self, output: _Output) -> None:
        """Tell a monitor what it says without a kernel; let go of one that nobody can see."""
        if output.monitor is None:
            return
        output.monitor.tell(summarise(self.run).left_behind)
        if said := output.monitor.trouble():
            output.monitor.close()
            output.monitor, output.said = None, said

    def _tick(self) -> None:
        if self._live:
            self.refresh()

    def _data(self, output: _Output) -> dict[str, Any]:
        if output.final is not None:
            return output.final
        over = self.over or self.run.finished
        data = bundle(self.run) if output.view is None else dict(output.view.mime())
        if over:
            output.final = data
        elif output.said:
            line = f'<div style="opacity:.7;font-size:11px">{esc(output.said)}</div>'
            data["text/html"] = line + data["text/html"]
        return data

    def _send(self, data: dict[str, Any], display_id: str, update: bool) -> None:
        try:
            self._publish(data, display_id, update)
        except OSError:
            # The front end has gone, or the kernel is going; the run does not care who looks at it.
            self._outputs = {}
