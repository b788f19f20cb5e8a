"""What a run needs to go on in a notebook: nodes like those it had, and a word about code that has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from manta_nb.errors import UsageError
from manta_nb.sdk.parse import one_line
from manta_nb.session.code import choose_code
from manta_nb.session.describing import difference, plain_options

if TYPE_CHECKING:
    from manta_nb.session.code import Code
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.ui.notebook import Notebook

__all__ = ["OVER", "choose", "nodes_for", "resumable", "start_line", "without_usual"]

#: states in which a run can go on
OVER = ("stopped", "failed", "interrupted")


def choose(notebook: Notebook, run: Run, code: Code = None) -> list[str]:
    """Let a run go on with its own code or with that of the cells; one line for each module that has changed.

    Raises:
        UsageError: the cells have changed, and `code` does not say which to use.
    """
    modules = [(entry.module.alias, entry.module) for entry in notebook.modules.values()]
    differ = choose_code(run, modules, code, f"%manta resume {notebook.word_for(run)} --code {{}}")
    return [f"{alias}: its code has changed; going on with the {code} one" for alias in differ]


def nodes_for(notebook: Notebook, run: Run) -> Session | None:
    """The nodes that a run goes on with: those there are, or the like of those it had, started now.

    None where it still has its own.

    Raises:
        UsageError: the nodes there are differ from those it had, or the like of them cannot be started.
    """
    if any(run in session.runs for session in notebook.sessions):
        return None
    stored = run.stored_session or (run.head.session if run.head is not None else None)
    if stored is None:
        return None
    if notebook.session is None:
        if stored["missing"]:
            raise UsageError(
                one_line(
                    f"{run.name} ran on data of a notebook, which are not kept: {start_line(stored)} "
                    "with the like of them, then once more"
                )
            )
        return notebook.start(**without_usual(stored["options"]))
    if other := _difference(stored, notebook.session):
        name, then, now = other
        raise UsageError(
            one_line(
                f"{run.name} ran on other nodes: {name} was {then}, is {now} here; %manta shutdown, then once more"
            )
        )
    return notebook.session


def resumable(stored: Mapping[str, Any], session: Session | None, name: str) -> tuple[bool, str]:
    """Whether nodes can be had for a run whose own have ended, and what is to be said of it; see `nodes_for`."""
    if session is None:
        if stored["missing"]:
            line = start_line(stored)
            return (
                False,
                f"it ran on data of a notebook: {line} with the like of them, then %manta resume {name}",
            )
        return True, "its nodes have ended; Resume starts the like of them"
    if other := _difference(stored, session):
        option, then, now = other
        return (
            False,
            f"it ran on other nodes: {option} was {then}, is {now} here; %manta shutdown, then Resume",
        )
    return True, ""


def start_line(stored: Mapping[str, Any]) -> str:
    """What starts nodes for a run whose data were values of a notebook."""
    options = stored["options"]
    count = options.get("nodes") or len(stored.get("nodes", ())) or 4
    name = f"{options['data_name']}=" if "data_name" in options else ""
    return f"%manta start --nodes {count if isinstance(count, int) else len(count)} --data {name}$x"


def without_usual(options: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `Session`, less those that are so anyway."""
    from manta_nb.session.session import Session  # noqa: PLC0415 - Dask, which is needed in the next moment

    usual = signature(Session).parameters
    return {name: value for name, value in options.items() if value != usual[name].default}


def _difference(stored: Mapping[str, Any], session: Session) -> tuple[str, object, object] | None:
    """The first option in which the nodes there are differ from those of a run, and both values as they are said."""
    then, now = stored["options"], plain_options(session.options)
    # how many nodes there are by default depends on the data
    count = {"nodes": len(session.nodes)} if "nodes" in then else {"nodes": None}
    options = count | now["options"] if "nodes" in then else now["options"] | count
    found = difference(then, options)
    if found is None:
        return None
    name, before, value = found
    return name, _said(name, before, stored["missing"]), _said(name, value, now["missing"])


def _said(name: str, value: object, missing: Collection[str]) -> object:
    if value is not None:
        return value
    return "a value of the notebook" if name in missing else "not given"
