"""The verbs that concern nodes: `start`, `nodes`, `use`, `shutdown`."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from manta_nb.data.loading import BUNDLED
from manta_nb.errors import DataError, UsageError
from manta_nb.render import Card
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.sdk.parse import one_line
from manta_nb.session.describing import plain_options
from manta_nb.ui.asked import with_partition
from manta_nb.ui.goingon import without_usual
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.session import Session
    from manta_nb.session.table import NodeTable

__all__ = ["data_arguments", "keep_or_provide", "nodes", "provide", "shutdown", "start", "suits", "use"]


def start(notebook: Notebook, options: Namespace) -> Session:
    """Start nodes; asked for what is there already, show it.

    Raises:
        UsageError: a run is active on nodes that would have to be replaced.
    """
    return provide(notebook, _asked(options, notebook.namespace))


def provide(notebook: Notebook, asked: Mapping[str, Any]) -> Session:
    """Nodes as these arguments of `Session` ask for: those in use where they are so, else new ones in their place.

    Raises:
        UsageError: a run is active on nodes that would have to be replaced.
    """
    session = notebook.session
    if session is not None:
        if notebook.asked is not None and _same(asked, notebook.asked):
            return session
        if notebook.owns(session) and (active := [run.name for run in session.active]):
            raise UsageError(
                one_line(
                    f"{listed(active)} still runs on the nodes there are: "
                    f"%manta stop {active[0]} first, then %manta start again"
                )
            )
    # The new nodes first: a mistake in the line, or data too small for it, leaves the old ones.
    before = session if notebook.owns(session) else None
    started = notebook.start(**asked)
    if before is not None:
        before.close()
    return started


def suits(session: Session, asked: Mapping[str, Any]) -> bool:
    """Whether nodes are as these arguments of `Session` ask for; what was not asked for may be as it is."""
    wanted, there = {**asked}, session.options
    count = wanted.pop("nodes", None)
    if count not in (None, len(session.nodes)) and (isinstance(count, int) or [*count] != [*session.nodes]):
        return False
    return _same(wanted, {name: there[name] for name in wanted if name in there})


def keep_or_provide(notebook: Notebook, asked: Mapping[str, Any]) -> Session:
    """The nodes in use where they suit, else others in their place; see `provide`."""
    session = notebook.session
    return session if session is not None and suits(session, asked) else provide(notebook, asked)


def nodes(notebook: Notebook, options: Namespace) -> NodeTable:
    """The nodes with their state and datasets."""
    return notebook.need_session().nodes


def use(notebook: Notebook, options: Namespace) -> Session:
    """Make a Session of the notebook the one the magics use.

    Raises:
        UsageError: there is no such variable, or it is no open Session.
    """
    session = notebook.namespace.get(options.session)
    if session is None:
        raise UsageError(
            f"%manta use {options.session}: {options.session} is not defined in the notebook; "
            f'write {options.session} = Session(nodes=4, data="digits") first'
        )
    if not callable(getattr(session, "try_on", None)):
        raise UsageError(
            f"%manta use {options.session}: {options.session} is a {type(session).__name__}; give a Session"
        )
    if session.closed:
        raise UsageError(f"%manta use {options.session}: that Session is closed; make another one")
    if session is not notebook.session:
        notebook.use(session)
    return notebook.need_session()


def shutdown(notebook: Notebook, options: Namespace) -> Card:
    """Stop the runs and the nodes in use, whoever started them."""
    session = notebook.session
    if session is None:
        return Card("there are no nodes", ["%manta start --nodes 4 --data digits starts some"])
    count = len(session.nodes)
    session.close()
    return Card(f"{count} nodes are stopped", ["finished runs can still be looked at"])


def _asked(options: Namespace, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Session` that the line means."""
    given = {key: value for key, value in vars(options).items() if key != "given" and value is not None}
    values = with_partition(given)
    return values | data_arguments(values["data"], namespace) if "data" in values else values


def data_arguments(word: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What `--data` names: `$variable` is the object itself, anything else the text, which the data layer reads."""
    found = re.fullmatch(r"(?:([^=$]*)=)?\$(\w+)", word)
    if found is None:
        return {"data": _no_variable(word, namespace)}
    name, variable = found[1], found[2]
    if variable not in namespace:
        hint = did_you_mean(variable, [known for known in namespace if not known.startswith("_")])
        raise DataError(f"--data ${variable}: {variable} is not defined in the notebook{hint}")
    return {"data": namespace[variable]} | ({} if name is None else {"data_name": name})


def _no_variable(word: str, namespace: Mapping[str, Any]) -> str:
    """`word`, unless it can only be meant as a variable: then the error says how that is written."""
    value = namespace.get(word)
    if value is None or word in BUNDLED or isinstance(value, ModuleType) or Path(word).exists():
        return word
    raise DataError(f"--data {word}: a variable is written with a dollar sign: --data ${word}")


def _same(asked: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Are these the same options? Arrays are the same only if they are the same object."""
    now, then = without_usual(asked), without_usual(before)
    known, named = plain_options(now)["options"], plain_options(then)["options"]
    return now.keys() == then.keys() and all(
        now[key] is then[key] or (key in known and key in named and known[key] == named[key]) for key in now
    )
