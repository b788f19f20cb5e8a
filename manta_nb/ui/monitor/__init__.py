"""The monitor of a run in a notebook: the screen is TypeScript (`extension/src/monitor`), this is its kernel side.

* `opening.open_monitor` makes one, or says why there can be none here;
* `monitor.Monitor` ties the parts of one together;
* `pump.Pump` sends what changed, from a thread of its own; `commands.Commands` does what the screen asks for;
* `control.Switchboard` receives that, while a cell runs, too; `widget.RunMonitor` is the model the browser draws.

Only `widget` imports anywidget, and only `opening` imports `widget`: when a monitor is first shown.
"""

from pathlib import Path

__all__ = ["BUNDLE"]

#: what esbuild makes of `extension/src/monitor`
BUNDLE = Path(__file__).parent.parent / "static" / "monitor.js"
