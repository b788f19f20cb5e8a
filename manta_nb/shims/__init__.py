"""The import packages of other systems, as manta_nb provides them, and where they stand on the path.

The folder of this file holds real packages (`fedn`, with its later names `scaleout` and `scaleoututil`, `manta`,
`manta_light`, `swarm` and `swarmlearning`). Programs do not import them as parts of manta_nb: `install` puts the folder
on `sys.path`, `environment` does so for the processes that come. `fedn`, `swarm` and `swarmlearning` work also where
manta_nb is not installed, as programs may run in an environment of their own.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal

from manta_nb.errors import UsageError

__all__ = ["PACKAGES", "Position", "environment", "install", "real_place", "shim_folder"]

Position = Literal["first", "last", "off"]

#: the packages this folder provides
PACKAGES = ("fedn", "manta", "manta_light", "scaleout", "scaleoututil", "swarm", "swarmlearning")
#: which of them leave their name to somebody else's module outside of training scripts: `swarm/_way.py`
_YIELDING = ("swarm",)


def shim_folder() -> Path:
    """The folder that belongs on `sys.path`."""
    return Path(__file__).resolve().parent


def install(position: Position = "first") -> list[str]:
    """Put the packages on `sys.path` of this process.

    Args:
        position: "first": before any installed one, "last": after them, "off": not at all.

    Returns:
        One line for each real package that is hidden now, or was imported already and stays.
    """
    if position not in ("first", "last", "off"):
        raise UsageError(f'shims must be "first", "last" or "off", got {position!r}')
    folder = str(shim_folder())
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    if position == "first":
        sys.path.insert(0, folder)
        return [note for name in PACKAGES if name not in _YIELDING and (note := _note(name))]
    _forget_own()
    if position == "last":
        sys.path.append(folder)
    return []


def environment(env: Mapping[str, str], position: Position = "first") -> dict[str, str]:
    """A copy of `env` with which a Python that is started sees the packages, too (`!python script.py`).

    `PYTHONPATH` can put them first only, so with "last" and "off" they are taken out of it.
    """
    folder = str(shim_folder())
    entries = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", folder)]
    kept = [folder, *entries] if position == "first" else entries
    changed = {key: value for key, value in env.items() if key != "PYTHONPATH"}
    return {**changed, "PYTHONPATH": os.pathsep.join(kept)} if kept else changed


def _note(name: str) -> str:
    module = sys.modules.get(name)
    if module is not None:
        return "" if _is_own(module) else _imported_note(name, module)
    place = real_place(name)
    if not place:
        return ""
    owner = _distribution(name) or f"package {name} in {_tail(place)}"
    return (
        f"the installed {owner} is shadowed by manta_nb's own {name} in this kernel; "
        '%config MantaMagics.shims = "last" changes it'
    )


def _imported_note(name: str, module: ModuleType) -> str:
    place = _tail(str(getattr(module, "__file__", None) or "memory"))
    return f"{name} was already imported from {place} and stays: restart the kernel to use manta_nb's own"


def _is_own(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(shim_folder())


def real_place(name: str) -> str:
    """Where another package of that name would be imported from; "" if there is none."""
    elsewhere = [entry for entry in sys.path if entry != str(shim_folder())]
    spec = importlib.machinery.PathFinder.find_spec(name, elsewhere)
    # A mere folder of that name (a namespace package) has no origin; it hides nothing.
    return spec.origin or "" if spec is not None else ""


def _distribution(name: str) -> str:
    """`mantatech-sdk (manta 0.6b5)`; "" where no installed distribution claims the package."""
    # Takes 20 ms to import, and is needed only where something is shadowed.
    from importlib.metadata import packages_distributions, version  # noqa: PLC0415

    owners = packages_distributions().get(name, [])
    return f"{owners[0]} ({name} {version(owners[0])})" if owners else ""


def _forget_own() -> None:
    """Drop our packages from `sys.modules`, so that the next import finds what now comes first."""
    for name in [*sys.modules]:
        if name.partition(".")[0] in PACKAGES and _is_own(sys.modules[name]):
            del sys.modules[name]


def _tail(text: str) -> str:
    return text if len(text) <= 50 else f"…{text[-49:]}"
