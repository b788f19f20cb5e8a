"""Several runs beside each other: which metric was best in which, as a table and as one chart.

* `compare`: the `Comparison` of some runs, which is what `s.runs.compare()` and `%manta runs --compare` show;
* `chosen_metric`, `best`: which metric runs are judged by, and where it was best.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from manta_nb.errors import MissingTag, UsageError
from manta_nb.render import Table, esc, number, plain
from manta_nb.sdk.names import shorten
from manta_nb.session.digest import RunLike, seconds_text
from manta_nb.session.metrics import MetricTable
from manta_nb.session.plotting import overlay, picture
from manta_nb.session.views import View, misspelt

if TYPE_CHECKING:
    from manta_nb.session.figure import RunFigure

__all__ = ["Best", "Comparison", "best", "chosen_metric", "compare", "falls", "origin_text"]

#: bytes of the picture in a notebook, where it stands in base64
MOST_PICTURE = 40_000


class Best(NamedTuple):
    """The mean over the nodes where a metric was best: `0.93` in iteration 7, the highest."""

    value: float
    iteration: int
    #: the lowest is the best
    lowest: bool

    def __str__(self) -> str:
        return f"{number(self.value)} ({'lowest' if self.lowest else 'highest'}, iteration {self.iteration})"


def falls(name: str) -> bool:
    """Is a metric of this name the better the lower it is?"""
    return any(word in name.lower() for word in ("loss", "error"))


def chosen_metric(names: Iterable[str], wanted: str = "") -> str:
    """The metric that runs are judged by: `wanted`, else the first accuracy-like one, else the first; "" for none."""
    known = list(names)
    likely = [name for name in known if "acc" in name.lower()]
    return (wanted if wanted in known else "") if wanted else next(iter([*likely, *known]), "")


def best(metrics: MetricTable, name: str) -> Best | None:
    """Where the metric was best; None where there is no number of it."""
    if name not in metrics.names():
        return None
    curve = metrics.by_iteration(name)
    points = zip(curve.mean.tolist(), curve.x.tolist(), strict=True)
    known = [(mean, int(x)) for mean, x in points if not math.isnan(mean)]
    if not known:
        return None
    lowest = falls(name)
    value, iteration = min(known, key=lambda point: point[0] if lowest else -point[0])
    return Best(value, iteration, lowest)


def compare(runs: Iterable[RunLike], metric: str | None = None) -> Comparison:
    """Some runs beside each other, judged by `metric` (None: the first accuracy-like one, else the first).

    Example:
        >>> compare([a, b], "val_acc")            # a chart and a table
        >>> compare([a, b]).figure().savefig("runs.png")

    Raises:
        UsageError: there is no run. MissingTag: no run has that metric.
    """
    found = list(runs)
    if not found:
        raise UsageError("there is no run to compare yet")
    names = list(dict.fromkeys(name for run in found for name in run.metrics.names()))
    if metric is not None and metric not in names:
        raise MissingTag(misspelt("metric", metric, names))
    return Comparison(found, metric)


class Comparison(View):
    """Runs beside each other: a chart with a line and a band for each, and a row for each.

    A fork is drawn from where it leaves its parent, if that is one of them. While one of them goes on, its display
    in a notebook is kept up to date.
    """

    def __init__(self, runs: Sequence[RunLike], metric: str | None = None) -> None:
        self.runs = list(runs)
        self._metric = metric
        self.live = _live(self.runs)

    @property
    def metric(self) -> str:
        """The metric they are compared by; "" while none of them has recorded one."""
        names = dict.fromkeys(name for run in self.runs for name in run.metrics.names())
        return chosen_metric(names, self._metric or "")

    def table(self) -> Table:
        """One row a run, in the order given."""
        name = self.metric
        judged = f"best {name}" if name else "best metric"
        names = {run.run_id: run.name for run in self.runs}
        origins = [origin_text(run, names) for run in self.runs]
        rows = [
            [
                _title(run),
                *([origin] if any(origins) else []),
                _seed(run),
                _status(run),
                f"{run.iteration} of {run.iterations}" if run.iterations else str(run.iteration),
                _best_text(run, name),
                seconds_text(run.elapsed),
            ]
            for run, origin in zip(self.runs, origins, strict=True)
        ]
        begins = ["of"] if any(origins) else []
        return Table(["run", *begins, "seed", "status", "iterations", judged, "time"], rows)

    def figure(self) -> RunFigure:
        """The chart: one line a run, its mean over the nodes, in a band from the lowest to the highest node."""
        places = {run.run_id: place for place, run in enumerate(self.runs)}
        forks = {
            places[run.run_id]: (places[of], at)
            for run in self.runs
            for of, at in [parent_of(run) or ("", None)]
            if of in places and of != run.run_id and at is not None
        }
        return overlay([(_legend(run), run.metrics) for run in self.runs], self.metric, forks)

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self._page(self._picture())

    def mime(self) -> dict[str, str]:
        """The forms of this moment, by mime type."""
        picture = self._picture()
        data = {"text/plain": str(self), "text/html": self._page(picture)}
        return data | ({"image/png": base64.b64encode(picture).decode()} if picture else {})

    def _page(self, picture: bytes) -> str:
        if not picture:
            return self.table()._repr_html_()
        said = esc(f"{self.metric} of {len(self.runs)} runs by iteration; the table has the numbers")
        data = base64.b64encode(picture).decode()
        image = f'<img alt="{said}" style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
        return f"<div>{image}</div>{self.table()._repr_html_()}"

    def _picture(self) -> bytes:
        return picture(self.figure(), MOST_PICTURE) if self.metric else b""


def parent_of(run: object) -> tuple[str, int | None] | None:
    """The run it goes on from, and the iteration of that whose values it begins with; None where there is none."""
    found: tuple[str, int | None] | None = getattr(run, "parent", None)
    return found


def origin_text(run: object, names: Mapping[str, str]) -> str:
    """`fork of fl at 7`, `repeat of fl`; `names` are those of the runs one knows. "" for a run of no other."""
    parent = parent_of(run)
    if parent is None:
        return ""
    of, at = parent
    name = shorten(plain(names.get(of, "")), 40) or of[:8]
    return f"repeat of {name}" if at is None else f"fork of {name} at {at}"


def _title(run: RunLike) -> str:
    return f"{shorten(plain(run.name), 40)} {run.run_id[:4]}"


def _seed(run: RunLike) -> str:
    return str(getattr(run, "seed", ""))


def _status(run: RunLike) -> str:
    return f"{run.status}: {shorten(plain(run.reason), 60)}" if run.finished and run.reason else run.status


def _legend(run: RunLike) -> str:
    seed = _seed(run)
    return " · ".join([_title(run), *([f"seed {seed}"] if seed else []), run.status])


def _best_text(run: RunLike, name: str) -> str:
    if not name or name not in run.metrics.names():
        return f"no {name}" if name else "none recorded"
    found = best(run.metrics, name)
    return str(found) if found is not None else "NaN only"


def _live(runs: Sequence[RunLike]) -> Callable[[View], None] | None:
    """What keeps a comparison up to date: the display of the latest run that goes on."""
    for run in reversed(runs):
        display = getattr(run, "display", None)
        if display is not None and not run.finished:
            return lambda view, run=run, display=display: display.show(run, view)  # type: ignore[misc]
    return None
