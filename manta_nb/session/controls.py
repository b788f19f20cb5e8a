"""What can be set on a run: the numbers in its Globals, iterations, nodes and seed; and doing it.

* `Knob`: one number (or switch, or text) somewhere in the Globals;
* `Controls`: all of a run, as text and HTML; a notebook makes fields of them (`ui.defining.controls`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from manta_nb.errors import MantaError, UsageError
from manta_nb.render import Card, Shown, Table
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.session.changing import change, dotted, replaced
from manta_nb.session.planning import anew

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["Controls", "Knob", "knobs"]

#: more are no controls any more
MOST = 40
_DEEP, _LONG = 4, 80


@dataclass(frozen=True)
class Knob:
    """One value that a person may set: the learning rate in `hyperparameters`."""

    tag: str
    path: tuple[str | int, ...]
    value: bool | int | float | str

    @property
    def label(self) -> str:
        """`hyperparameters.lr`."""
        return dotted(self.tag, self.path)

    @property
    def kind(self) -> str:
        """`switch`, `whole`, `number` or `text`."""
        if isinstance(self.value, bool):
            return "switch"
        return (
            "whole" if isinstance(self.value, int) else "number" if isinstance(self.value, float) else "text"
        )

    @property
    def range(self) -> tuple[float, float] | None:
        """From a tenth (of a whole number: none) to ten times the value; None where a slider makes no sense."""
        if self.kind not in ("whole", "number") or not math.isfinite(self.value) or self.value <= 0:  # type: ignore[arg-type,operator]
            return None
        value = float(self.value)
        return (1.0, max(10.0, 10 * value)) if self.kind == "whole" else (value / 10, value * 10)


def knobs(values: Mapping[str, Any]) -> list[Knob]:
    """The numbers, switches and short texts in some Globals, those inside dicts and lists too; at most 40."""
    found = (knob for tag, value in values.items() for knob in _inside(tag, (), value))
    return [knob for knob, _ in zip(found, range(MOST), strict=False)]


def _inside(tag: str, path: tuple[str | int, ...], value: Any) -> Iterator[Knob]:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= _LONG):
        yield Knob(tag, path, value)
    elif len(path) < _DEEP and isinstance(value, Mapping | list | tuple) and len(value) <= MOST:
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for step, item in items:
            yield from _inside(tag, (*path, step), item)


class Controls(Shown):
    """The controls of a run: `fl.controls()`.

    While the run goes on, `set` changes a Global from the next iteration on; afterwards (and for what a run is
    started with) it is kept for `start`, which runs the swarm again.

    Example:
        >>> controls = fl.controls()          # in a notebook: sliders, fields, Run and Stop
        >>> controls.set("hyperparameters.lr", 0.05)
        >>> again = controls.start(iterations=10, seed=1)
    """

    def __init__(self, run: Run) -> None:
        #: the run that is controlled: the one that was started last
        self.run = run
        self.knobs = knobs(_values(run))
        #: what was set by hand, by label
        self.changed: dict[str, Any] = {}

    def knob(self, label: str) -> Knob:
        """The knob with that label.

        Raises:
            UsageError: there is none.
        """
        for knob in self.knobs:
            if knob.label == label:
                return knob
        known = [knob.label for knob in self.knobs]
        raise UsageError(
            f"no number {label[:40]!r}{did_you_mean(label, known)}: there are {listed(known, 3)}"[:200]
        )

    def set(self, label: str, value: Any) -> None:
        """Set one value: in the run that goes on from its next iteration, and in every run started from here."""
        knob = self.knob(label)
        if not self.run.finished:
            change(self.run, knob.tag, value, knob.path)
        self.changed[label] = value

    def start(
        self,
        iterations: int | str | None = None,
        seed: int | None = None,
        nodes: Sequence[str] | None = None,
    ) -> Run:
        """Run the same swarm again with what was set here.

        Args:
            iterations: None: as many as before.
            seed: None: the same again.
            nodes: the only nodes it may use; None: those of before.

        Raises:
            UsageError: the run still goes on.
        """
        if not self.run.finished:
            raise UsageError(f"{self.run.name} still runs: {self.run.name}.stop() first")
        made = self.run._legs.made
        first = dict(made.globals)
        for label, value in self.changed.items():
            knob = self.knob(label)
            if knob.tag in first:
                first[knob.tag] = replaced(first[knob.tag], knob.path, value)
        again = anew(made, first, iterations, seed)
        if self.changed:
            again = replace(again, parent=None)
        self.run = self.run._in_session()._add(again, nodes or list(self.run.nodes))
        return self.run

    def stop(self) -> None:
        """Stop the run, where it still goes on."""
        if not self.run.finished:
            self.run.stop()

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        run = self.run
        rows = [
            [knob.label, repr(self.changed.get(knob.label, knob.value)), _range(knob)] for knob in self.knobs
        ]
        table: Shown | str = (
            Table(["in the Globals", "value", "from … to"], rows) if rows else "no numbers in the Globals"
        )
        limit = run.iterations or "forever"
        example = self.knobs[0].label if self.knobs else "lr"
        how = f'{run.name}.controls().set("{example}", …)' if self.knobs else ""
        when = "takes effect at the next iteration" if not run.finished else "is for the next start()"
        return Card(
            f"controls of {run.name}",
            [
                table,
                f"iterations {limit} · {len(run.nodes)} nodes · seed {run.seed} · {run.status}",
                *([f"{how} {when}"] if how else []),
                f"{run.name}.stop() ends it; {run.name}.controls().start(iterations=…, seed=…) runs it again",
            ],
        )


def _range(knob: Knob) -> str:
    return "" if knob.range is None else f"{knob.range[0]:g} … {knob.range[1]:g}"


def _values(run: Run) -> dict[str, Any]:
    """The committed Globals; one that cannot be read (any more) has no controls."""
    values = {}
    for tag in run.globals:
        try:
            values[tag] = run._history.read_global(tag)
        except MantaError:
            continue
    return values
