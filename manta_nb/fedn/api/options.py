"""What `APIClient(…)` is given, as what a run is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.fedn.preparing import Wishes
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.session import Session

__all__ = ["read_options", "read_version"]

#: options of `fedn.run` that hold for all sessions of a client
COMMON = (
    "cold",
    "data",
    "min_clients",
    "node_env",
    "nodes",
    "python_env",
    "real_fedn",
    "seed",
    "startup",
    "timeout",
)
#: other options of `fedn.run` → the call that takes them
_ELSEWHERE = {
    "aggregator": "start_session",
    "aggregator_kwargs": "start_session",
    "checksum": "fedn.run",
    "helper": "set_package",
    "name": "start_session",
    "package": "set_package",
    "rounds": "start_session",
    "seed_model": "set_initial_model",
    "server_functions": "start_session",
    "validate": "start_session",
}
#: options of `Session` that a person gives
_SESSION = frozenset(signature(Session).parameters) - {*COMMON, "say"}


def read_options(options: Mapping[str, Any], session: Session | None) -> Wishes:
    """The options of a client as wishes, which hold for each of its sessions.

    Raises:
        UsageError: there is no such option, or `session` decides it already.
    """
    for name in options:
        if name in _ELSEWHERE:
            raise UsageError(f"APIClient takes no {name}: {_ELSEWHERE[name]} does")
        if name not in COMMON and name not in _SESSION:
            near = did_you_mean(name, [*COMMON, *_SESSION, "session", "version"])
            raise UsageError(one_line(f"APIClient has no option {shorten(name, 40)}{near}"))
    own = {name: value for name, value in options.items() if name in COMMON}
    further = {name: value for name, value in options.items() if name not in COMMON}
    wishes = Wishes(**own, options=further)
    if session is not None and (
        wishes.nodes is not None or further or (wishes.data is not None and wishes.common is None)
    ):
        raise UsageError(
            "session= brings its nodes and data: leave out nodes=, data= and the like, or session="
        )
    return wishes


def read_version(version: object) -> bool | None:
    """Whether the answers are those of FEDn from 0.9 on; None: the names that are used tell.

    >>> read_version("0.8.1"), read_version("0.11")
    (False, True)
    """
    if version is None:
        return None
    parts = str(version).split(".")
    if not _all_digits(parts[:2]):
        raise UsageError(
            one_line(f'version is one of FEDn, such as "0.8" or "0.9", not {shorten(repr(version), 40)}')
        )
    return tuple(int(part) for part in (*parts[:2], "0")[:2]) >= (0, 9)


def _all_digits(parts: Iterable[str]) -> bool:
    return all(part.isascii() and part.isdigit() for part in parts)
