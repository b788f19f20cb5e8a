"""Changing a Global while the run goes on: what is asked for, and how the changed value is made.

A change waits for the end of the running iteration and is part of what is committed then; so what a task writes in
that iteration stays, but for what was changed, and a run that is resumed has it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from manta_nb.engine.events import ChangeRequested, GlobalsEdited
from manta_nb.engine.instructions import EditGlobals
from manta_nb.engine.records import Change
from manta_nb.engine.wording import one_line
from manta_nb.errors import MantaError, MissingTag, UsageError
from manta_nb.runtime.book import SegmentBook
from manta_nb.sdk.codec import encode
from manta_nb.sdk.describe import describe
from manta_nb.sdk.names import shorten
from manta_nb.session.views import misspelt

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["change", "dotted", "edit_globals", "found_at", "replaced"]

Path = Sequence[str | int]


def change(run: Run, tag: str, value: object, path: Path = ()) -> None:
    """Ask a run for another value of a Global, or of what is at `path` inside it; see `Run.set_global`."""
    label = dotted(tag, path)
    if run.finished:
        raise UsageError(
            one_line(f"{run.name} is over: {run.name}.controls() starts it again with another {label}")
        )
    if tag not in run.globals:
        raise MissingTag(misspelt("Global", tag, run.globals))
    encode(value, f"set_global({shorten(label, 40)!r})")
    if path:
        found_at(run._history.read_global(tag), tag, path)
    run._driver.post(ChangeRequested(Change(tag, value, tuple(path))))


def edit_globals(book: SegmentBook, wanted: EditGlobals) -> GlobalsEdited:
    """Carry out an `EditGlobals`: the changed Globals in memory of the kernel, and `lr: 0.1 → 0.05` for each change."""
    values: dict[str, Any] = {}
    told = []
    for each in wanted.changes:
        label = dotted(each.tag, each.path)
        try:
            if each.tag not in wanted.globals:
                raise MissingTag(misspelt("Global", each.tag, wanted.globals))
            whole = values[each.tag] if each.tag in values else book.value(wanted.globals[each.tag])
            before = found_at(whole, each.tag, each.path)
            values[each.tag] = replaced(whole, each.path, _like(before, each.value))
            told.append(one_line(f"{label}: {_short(before)} → {_short(each.value)}"))
        except MantaError as error:
            told.append(one_line(f"{label} stays as it is: {error}"))
    return GlobalsEdited(book.create(values), tuple(told))


def found_at(value: Any, tag: str, path: Path) -> Any:
    """What is at `path` inside the value of a Global.

    Raises:
        MissingTag: there is no such thing.
    """
    for depth, step in enumerate(path):
        inside = isinstance(value, Mapping) and step in value
        counted = isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value)
        if not inside and not counted:
            where = dotted(tag, path[:depth])
            raise MissingTag(
                misspelt(
                    f"entry of {shorten(where, 40)}",
                    step,
                    map(str, value) if isinstance(value, Mapping) else (),
                )
            )
        value = value[step]
    return value


def replaced(whole: Any, path: Path, new: Any) -> Any:
    """A copy of `whole` with `new` at `path`; what is not on the way is shared."""
    if not path:
        return new
    step, *rest = path
    if isinstance(whole, Mapping):
        return {**whole, step: replaced(whole[step], rest, new)}
    items = [replaced(item, rest, new) if place == step else item for place, item in enumerate(whole)]
    return tuple(items) if isinstance(whole, tuple) else items


def dotted(tag: str, path: Path) -> str:
    """`hyperparameters.lr`."""
    return ".".join([tag, *map(str, path)])


def _like(before: object, value: Any) -> Any:
    """A whole number where there was a fraction stays a fraction: a task may divide by its kind."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and isinstance(before, Real) and not isinstance(before, Integral):
        return float(value)
    return value


def _short(value: object) -> str:
    return shorten(repr(value) if isinstance(value, str | int | float | bool) else describe(value), 60)
