"""The model behind a monitor's screen; this module is imported when a monitor is first shown."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from manta_nb.ui.monitor import BUNDLE

__all__ = ["RunMonitor"]


class RunMonitor(anywidget.AnyWidget):
    """What the browser draws a run from: it gets custom messages, and of state no more than these traits.

    See `monitor.Monitor`, which makes and closes it.
    """

    _esm = BUNDLE

    #: of the run that is shown
    run_id = traitlets.Unicode().tag(sync=True)
    #: names this monitor where its screen opens a control comm
    control = traitlets.Unicode().tag(sync=True)
    #: what a screen shows that finds no kernel: where the run stood and how to open it again
    note = traitlets.Unicode().tag(sync=True)
    protocol = traitlets.Int(1).tag(sync=True)

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a custom message, as ipywidgets does, but looking for the comm only once."""
        if (comm := self.comm) is not None:
            comm.send({"method": "custom", "content": content}, buffers=buffers)

    def close(self) -> None:
        """Take the models out of the browser: a notebook that is saved then holds nothing of them."""
        layout: Any = self.layout
        super().close()
        if layout is not None:
            layout.close()
