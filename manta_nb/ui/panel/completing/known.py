"""The names that a notebook knows: of nodes, modules, runs, datasets, tags and metrics. Nothing is read from a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from manta_nb.ui.panel.completing.found import Offer

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.ui.panel.sources import Source

__all__ = ["as_run", "global_tags", "is_module", "metrics", "names", "result_tags"]

#: where the classes of runs and modules are defined; to import them takes numpy or Dask
_RUN, _MODULE = "manta_nb.session.run", "manta_nb.sdk.module"


def names(kind: str, source: Source) -> Iterable[Offer]:
    """The names of a kind: one of the completer's words of `parser.Option.kind`, or `a|b|c`."""
    find = _NAMES.get(kind)
    if find is not None:
        return find(source)
    return [Offer(word, "value") for word in kind.split("|")] if kind else []


def global_tags(source: Source, run: Run | None = None) -> Iterator[Offer]:
    """The tags of Globals: of that run; without one, of the latest run and of the modules' texts."""
    for each in _latest(source, run):
        yield from (Offer(tag, "tag", f"a Global of {each.name}") for tag in each.globals)
    if run is None:
        yield from _used(source, "writes", "writes it")
        yield from _used(source, "reads", "reads it")


def result_tags(source: Source, run: Run | None = None) -> Iterator[Offer]:
    """The tags of Results, as `global_tags`."""
    for each in _latest(source, run):
        yield from (Offer(tag, "tag", f"a Result of {each.name}") for tag in each.results.tags())
    if run is None:
        yield from _used(source, "adds", "adds it")
        yield from _used(source, "selects", "selects it")


def metrics(source: Source, run: Run | None = None) -> Iterator[Offer]:
    """The metrics: of that run; without one, of all runs of this kernel and of the modules' texts."""
    for each in list(source.runs())[::-1] if run is None else [run]:
        yield from (Offer(name, "metric", f"a metric of {each.name}") for name in each.metrics.names())
    if run is None:
        yield from _used(source, "metrics", "records it")


def as_run(value: object, source: Source) -> Run | None:
    """The value if it is a run; nothing is asked of what is none."""
    if any(value is run for run in source.runs()) or type(value).__module__ == _RUN:
        return cast("Run", value)
    return None


def is_module(value: object) -> bool:
    """Whether it is a module; nothing is asked of what is none."""
    return type(value).__module__ == _MODULE


def _latest(source: Source, run: Run | None) -> list[Run]:
    return list(source.runs())[-1:] if run is None else [run]


def _used(source: Source, usage: str, words: str) -> Iterator[Offer]:
    """What the texts of the modules name."""
    kind = "metric" if usage == "metrics" else "tag"
    for entry in list(source.modules.values()):
        yield from (Offer(tag, kind, f"{entry.name} {words}") for tag in getattr(entry.module.usage, usage))


def _nodes(source: Source) -> Iterable[Offer]:
    session = source.session
    return [Offer(node, "node") for node in session.nodes] if session is not None else []


def _modules(source: Source) -> Iterable[Offer]:
    return [
        Offer(name, "module", repr(entry.module).partition(" · ")[2])
        for name, entry in list(source.modules.items())
    ]


def _runs(source: Source) -> Iterable[Offer]:
    return [Offer(run.name, "run", _stands(run)) for run in list(source.runs())[::-1]]


def _past(source: Source) -> Iterable[Offer]:
    # by name: numpy and SQLite, which nothing needs before a past run is typed
    keeping: Any = import_module("manta_nb.ui.panel.keeping")
    with closing(keeping.Keeper(source)) as keeper:
        runs = keeper.past().entries()[::-1]
        return [Offer(run.name, "run", f"{run.status}, {run.counted} iterations") for run in runs]


def _stands(run: Run) -> str:
    of = f" of {run.iterations}" if run.iterations else ""
    return f"{run.status}, {run.iteration}{of} iterations"


def _held(source: Source) -> Iterator[Offer]:
    session = source.session
    if session is not None:
        held = dict.fromkeys(name for node in session.nodes.values() for name in node.datasets)
        yield from (Offer(name, "dataset", "on the nodes") for name in held)


def _datasets(source: Source) -> Iterator[Offer]:
    from manta_nb.data.loading import BUNDLED  # noqa: PLC0415 - numpy, which nothing needs before there are nodes

    yield from _held(source)
    yield from (Offer(name, "dataset", "comes with manta_nb") for name in BUNDLED)


def _readable(source: Source) -> Iterable[Offer]:
    """The datasets that a task can read: those of the nodes, else all there may be."""
    held = list(_held(source))
    return held or _datasets(source)


def _swarms(source: Source) -> Iterator[Offer]:
    for name, value in list(source.namespace.items()):
        if not name.startswith("_") and _is_swarm(value):
            yield Offer(name, "value", "a Swarm of this notebook")


def _is_swarm(value: Any) -> bool:
    from manta_nb.sdk.swarm import Swarm  # noqa: PLC0415 - numpy, as above

    return isinstance(value, Swarm) or (
        isinstance(value, type) and issubclass(value, Swarm) and value is not Swarm
    )


def _tags(source: Source) -> Iterator[Offer]:
    yield from global_tags(source)
    yield from result_tags(source)


_NAMES: Mapping[str, Callable[[Source], Iterable[Offer]]] = {
    "node": _nodes,
    "module": _modules,
    "run": _runs,
    "past": _past,
    "metric": metrics,
    "dataset": _datasets,
    "readable": _readable,
    "tag": _tags,
    "global": global_tags,
    "result": result_tags,
    "swarm": _swarms,
}
