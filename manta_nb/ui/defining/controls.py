"""`fl.controls()` in a notebook: sliders and fields for the numbers in the Globals, Run and Stop.

The widgets know nothing of runs: they hand what was set to `session.controls.Controls`. They are heard when no cell
runs, as all widgets are that the kernel made; the monitor's buttons have a comm of their own, and act at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from manta_nb.errors import MantaError, UsageError
from manta_nb.render import esc
from manta_nb.sdk.names import listed
from manta_nb.sdk.parse import one_line
from manta_nb.session.controls import Controls, Knob
from manta_nb.session.run import Run
from manta_nb.session.summary import progress_line, summarise
from manta_nb.ui import values
from manta_nb.ui.defining.shared import notebook_of
from manta_nb.ui.live import display_mode

__all__ = ["ControlPanel", "rebind", "show"]

#: seconds between two updates of the line below the buttons
PAUSE = 0.5
_WIDE = "150px"


def show(controls: Controls) -> None:
    """Display the controls in the running cell: as widgets where there are some, else as what they would offer."""
    shell = get_ipython()
    if shell is not None and display_mode(shell=shell) == "widget":
        display(ControlPanel(controls, partial(rebind, shell)).box)  # type: ignore[no-untyped-call]
        return
    forms = {"text/plain": str(controls), "text/html": controls._repr_html_()}
    display(forms, raw=True)  # type: ignore[no-untyped-call]


_STOP = "stop the run; while a cell runs, only the monitor's Stop is heard at once"


class ControlPanel:
    """The widgets of one `Controls`; lives as long as its box is shown.

    Args:
        controls: what is controlled.
        started: told of `(run before, new run)` when Run was pressed.
    """

    def __init__(
        self, controls: Controls, started: Callable[[Run, Run], None] = lambda before, run: None
    ) -> None:
        self.controls = controls
        self._started = started
        run = controls.run
        limit = "forever" if run.iterations is None else str(run.iterations)
        self.iterations = _text("iterations", limit)
        self.seed = _text("seed", str(run.seed))
        self.nodes = _text("nodes", "", f"all {len(run.nodes)}, or 2, or {listed(list(run.nodes), 2)}")
        self.run_button = widgets.Button(
            description="Run", button_style="primary", tooltip="run the swarm again"
        )
        self.stop_button = widgets.Button(
            description="Stop",
            tooltip=_STOP,
        )
        self.said = widgets.HTML()
        self.fields = {knob.label: _Field(knob, self._set) for knob in controls.knobs}
        self.run_button.on_click(lambda button: self._try(self._run))
        self.stop_button.on_click(lambda button: self._try(self._stop))
        empty = [] if self.fields else [widgets.Label("no numbers in the Globals")]
        self.box = widgets.VBox(
            [
                *empty,
                *(field.box for field in self.fields.values()),
                _row(self.iterations, self.seed, self.nodes),
                _row(self.run_button, self.stop_button),
                self.said,
            ]
        )
        self._last = 0.0
        self._unwatch: Callable[[], None] = lambda: None
        self._watch(run)

    def _set(self, label: str, value: Any) -> None:
        self._try(lambda: self._change(label, value))

    def _change(self, label: str, value: Any) -> None:
        self.controls.set(label, value)
        when = "at the next Run" if self.controls.run.finished else "from the next iteration on"
        self._say(f"{label} is {value!r} {when}")

    def _run(self) -> None:
        before = self.controls.run
        run = self.controls.start(
            values.iterations("iterations", self.iterations.value.strip()),
            values.whole(0)("seed", self.seed.value.strip()),
            _nodes(self.nodes.value, before.nodes),
        )
        self._started(before, run)
        self._watch(run)

    def _stop(self) -> None:
        run = self.controls.run
        if run.finished:
            raise UsageError(f"{run.name} is over ({run.status})")
        self.controls.stop()

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except MantaError as error:
            self._say(one_line(str(error)))

    def _watch(self, run: Run) -> None:
        self._say(progress_line(summarise(run)))
        self._unwatch()
        self._unwatch = run.watch(self._tick)

    def _tick(self, run: Run) -> None:
        """Called from the run's thread at every change: most of the time there is nothing to do."""
        now = time.monotonic()
        if run is self.controls.run and (run.finished or now - self._last > PAUSE):
            self._last = now
            self._say(progress_line(summarise(run)))

    def _say(self, text: str) -> None:
        self.said.value = f'<span style="overflow-wrap:anywhere;white-space:normal">{esc(text)}</span>'


class _Field:
    """One knob: a field, and beside a positive number a slider."""

    def __init__(self, knob: Knob, changed: Callable[[str, Any], None]) -> None:
        self._knob, self._changed = knob, changed
        self.field = _input(knob)
        self.slider = _slider(knob)
        self.field.observe(self._typed, "value")
        parts = [_label(knob.label), self.field]
        if self.slider is not None:
            self.slider.observe(self._slid, "value")
            parts.append(self.slider)
        self.box = _row(*parts)

    def _slid(self, change: dict[str, Any]) -> None:
        value = change["new"]
        # the same number that the field shows: no 0.05011872336272722
        self.field.value = value if self._knob.kind == "whole" else float(f"{value:.3g}")

    def _typed(self, change: dict[str, Any]) -> None:
        value = change["new"]
        self._changed(self._knob.label, value)
        if self.slider is not None and self.slider.min <= value <= self.slider.max:
            self.slider.unobserve(self._slid, "value")
            self.slider.value = value
            self.slider.observe(self._slid, "value")


def _input(knob: Knob) -> Any:
    layout = widgets.Layout(width=_WIDE)
    kinds = {
        "switch": widgets.Checkbox,
        "whole": widgets.IntText,
        "number": widgets.FloatText,
        "text": widgets.Text,
    }
    options = {"indent": False} if knob.kind == "switch" else {"continuous_update": False}
    return kinds[knob.kind](value=knob.value, layout=layout, tooltip=knob.label, **options)


def _slider(knob: Knob) -> Any:
    if knob.range is None:
        return None
    low, high = knob.range
    layout = widgets.Layout(flex="1 1 150px", min_width="120px", max_width="340px")
    options = {"continuous_update": False, "readout": False, "layout": layout, "tooltip": knob.label}
    if knob.kind == "whole":
        return widgets.IntSlider(value=knob.value, min=int(low), max=int(high), **options)
    return widgets.FloatSlider(value=knob.value, min=low, max=high, step=(high - low) / 990, **options)


def _text(name: str, value: str, placeholder: str = "") -> widgets.Text:
    style = {"description_width": "initial"}
    layout = widgets.Layout(flex="1 1 150px", width="auto", max_width="320px")
    return widgets.Text(
        value=value,
        description=name,
        placeholder=placeholder,
        continuous_update=False,
        style=style,
        layout=layout,
    )


def _label(text: str) -> widgets.Label:
    return widgets.Label(text, layout=widgets.Layout(width=_WIDE))


def _row(*parts: Any) -> widgets.HBox:
    return widgets.HBox(parts, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def _nodes(text: str, before: Sequence[str]) -> list[str] | None:
    """`""`: the same; `"2"`: the first two of them; else their names."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        return None
    if len(words) == 1 and words[0].isdecimal():
        count = values.whole(1)("nodes", words[0])
        if count > len(before):
            raise UsageError(f"nodes: there are {len(before)}, got {count}")
        return list(before[:count])
    return words


def rebind(shell: InteractiveShell, before: Run, run: Run) -> None:
    """The notebook's variable is the new run, as after a `%%swarm` cell that is run again."""
    notebook = notebook_of(shell)
    if shell.user_ns.get(before.name) is before:
        shell.user_ns[before.name] = run
    if notebook is not None:
        notebook.remember(run)
