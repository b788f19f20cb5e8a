"""What a person looks at in a run: the base of every view, and the Globals and Results as tables.

* `View`: text and HTML, and kept up to date in a notebook while its run goes on;
* `GlobalsView`, `ResultsView`: values by tag, decoded where they are shown;
* `RunningNotice`: says once that values are those of a run that still goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from manta_nb.errors import MantaError, MissingTag
from manta_nb.render import Shown, Table, number
from manta_nb.sdk.describe import describe
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.refusal import size_text
from manta_nb.sdk.world import ResultMethod
from manta_nb.session.curves import Spread

__all__ = [
    "GlobalInfo",
    "GlobalsView",
    "ResultInfo",
    "ResultsView",
    "RunningNotice",
    "View",
    "misspelt",
    "spread_text",
]


class View(Shown):
    """Something of a run that changes while the run goes on.

    `live` displays it in a notebook and keeps it up to date; the session sets it. None: shown as it is.
    """

    live: Callable[[View], None] | None = None

    def mime(self) -> dict[str, str]:
        """The forms of this moment, by mime type."""
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _ipython_display_(self) -> None:
        if self.live is None:
            # IPython's word for "show the other forms"
            raise NotImplementedError
        self.live(self)


class _Running(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def iteration(self) -> int: ...
    @property
    def iterations(self) -> int | None: ...
    @property
    def finished(self) -> bool: ...


class RunningNotice:
    """Says once `fl is running (3 of 20): fl.wait() for the end`, if it is."""

    def __init__(self, run: _Running, say: Callable[[str], None] = print) -> None:
        self._run = run
        self._say = say
        self._said = False

    def __call__(self) -> None:
        """Say it, unless the run is over or it was said before."""
        run = self._run
        if self._said or run.finished:
            return
        self._said = True
        of = "" if run.iterations is None else f" of {run.iterations}"
        self._say(f"{run.name} is running ({run.iteration}{of}): {run.name}.wait() for the end")


@dataclass(frozen=True)
class GlobalInfo:
    """Where a Global stands: the iteration that changed it last (None: set before the first) and its bytes."""

    iteration: int | None
    nbytes: int


class GlobalsView(View, Mapping[str, Any]):
    """The committed Globals of a run, by tag; every read is a fresh copy.

    ```
    run.globals                              # a table: tag, what it is, changed in iteration
    run.globals["global_model_params"]       # the value
    ```
    `read` gives a tag's value, `tags` all tags with where they stand; `notice` is called when a value is read.
    """

    def __init__(
        self,
        read: Callable[[str], Any],
        tags: Callable[[], Mapping[str, GlobalInfo]],
        notice: Callable[[], None] | None = None,
    ) -> None:
        self._read = read
        self._tags = tags
        self._notice = notice

    def __getitem__(self, tag: str) -> Any:
        tags = self._tags()
        if tag not in tags:
            raise MissingTag(misspelt("Global", tag, tags))
        if self._notice is not None:
            self._notice()
        return self._read(tag)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags())

    def __len__(self) -> int:
        return len(self._tags())

    def __contains__(self, tag: object) -> bool:
        return tag in self._tags()

    def __str__(self) -> str:
        return str(self._table()) if len(self) else "no Globals"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if len(self) else "<i>no Globals</i>"

    def changed(self) -> list[str]:
        """Tags that the run wrote; the others are as they were at the start."""
        return [tag for tag, info in self._tags().items() if info.iteration is not None]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tags())

    def _table(self) -> Table:
        rows = [
            [
                tag,
                _described(self._read, tag),
                "start" if info.iteration is None else str(info.iteration),
                size_text(info.nbytes),
            ]
            for tag, info in self._tags().items()
        ]
        return Table(["Global", "value", "changed in", "size"], rows)


@dataclass(frozen=True)
class ResultInfo:
    """Where a result tag stands: the latest iteration that wrote it, by which nodes, and their bytes."""

    iteration: int
    nodes: tuple[str, ...]
    nbytes: int


class ResultsView(View):
    """The results of a run: `run.results.select("model_params")` is `{node_id: value}`.

    `select` takes a tag, an iteration (None: the latest that wrote the tag) and whether the latest value of
    every node is asked for; `tags` gives all tags with where they stand.
    """

    def __init__(
        self,
        select: Callable[[str, int | None, bool], dict[str, Any]],
        tags: Callable[[], Mapping[str, ResultInfo]],
        notice: Callable[[], None] | None = None,
    ) -> None:
        self._select = select
        self._tags = tags
        self._notice = notice

    def select(
        self, tag: str, iteration: int | None = None, method: ResultMethod = ResultMethod.ALL
    ) -> dict[str, Any]:
        """`{node_id: value}` of `tag` in the latest iteration that wrote it, or in `iteration`.

        Args:
            tag: what `results.add` was given.
            iteration: that iteration only; one that is no longer kept is a `MissingTag`.
            method: `LAST` for the latest value of every node, whatever its iteration.

        Raises:
            MissingTag: nobody wrote the tag, or the values of that iteration were dropped.
        """
        tags = self._tags()
        if tag not in tags:
            raise MissingTag(misspelt("Result", tag, tags))
        if self._notice is not None:
            self._notice()
        return self._select(tag, iteration, method == ResultMethod.LAST)

    def __getitem__(self, tag: str) -> dict[str, Any]:
        """`results["params"]` is `results.select("params")`."""
        return self.select(tag)

    def tags(self) -> list[str]:
        """The tags that can be selected, in the order they were first written."""
        return list(self._tags())

    def __len__(self) -> int:
        return len(self._tags())

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags())

    def __str__(self) -> str:
        return str(self._table()) if len(self) else "no Results"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if len(self) else "<i>no Results</i>"

    def _table(self) -> Table:
        rows = []
        for tag, info in self._tags().items():
            what = _described(lambda tag: next(iter(self._select(tag, None, False).values()), None), tag)
            rows.append([tag, what, _nodes_text(info.nodes), str(info.iteration), size_text(info.nbytes)])
        return Table(["Result", "value", "nodes", "iteration", "size"], rows)


def misspelt(kind: str, tag: object, known: Iterable[str]) -> str:
    """`no Global 'hyperparamters'; there are: hyperparameters (did you mean 'hyperparameters'?)`."""
    names = list(known)
    if not names:
        return f"no {kind} {shorten(repr(tag), 60)}; there are none yet"
    return f"no {kind} {shorten(repr(tag), 60)}; there are: {listed(names, 4)}{did_you_mean(str(tag), names)}"


def spread_text(spread: Spread) -> str:
    """`0.9342 (0.91–0.953)`, or the number alone where one node gave it or all gave the same."""
    if spread.n < 2 or spread.low == spread.high:
        return number(spread.mean)
    return f"{number(spread.mean)} ({_short(spread.low)}–{_short(spread.high)})"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else number(value)


def _described(read: Callable[[str], Any], tag: str) -> str:
    try:
        return describe(read(tag))
    except MantaError as error:
        return f"({error})"


def _nodes_text(nodes: tuple[str, ...]) -> str:
    return ", ".join(nodes) if len(nodes) <= 4 else f"{len(nodes)}: {', '.join(nodes[:2])}, … {nodes[-1]}"
