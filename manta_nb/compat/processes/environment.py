"""The environment of a node's programs: what `python` is, where `fedn` is imported from, the node's variables."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from manta_nb.shims import shim_folder

__all__ = ["SEED_VARIABLE", "SITE", "environment"]

#: a folder for PYTHONPATH: what every Python of a program imports first
SITE = Path(__file__).resolve().parent / "site"

#: what `site/sitecustomize.py` seeds random, numpy and torch with
SEED_VARIABLE = "MANTA_NB_SEED"

#: of the runtime, of Dask and of the notebook's kernel: no program shall notice them
_OWN = (
    "CLICOLOR_FORCE", "DASK_INTERNAL_INHERIT_CONFIG", "DASK_PARENT", "FORCE_COLOR", "JPY_PARENT_PID",
    "JPY_SESSION_NAME", "MALLOC_TRIM_THRESHOLD_", "MANTA_FAIL_AT", "MANTA_HOME", "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__",
)  # fmt: skip
_OWN_PREFIX = "MANTA_NB_"
_NAMES = ("python", "python3")


def environment(
    base: Mapping[str, str],
    node_env: Mapping[str, str],
    *,
    shims: str | None,
    site: str | None,
    interpreter: str,
    seed: int | None = None,
    wrappers: Path | None = None,
) -> dict[str, str]:
    """Every variable of the programs of one node.

    Args:
        base: the environment of the process that calls; what is the runtime's own is left out.
        node_env: the variables of this node. They win; their `PATH` and `PYTHONPATH` come after ours.
        shims: the folder from which `fedn` is imported; None: whatever is installed.
        site: the folder with `sitecustomize.py`; None: there is none.
        interpreter: what `python` and `python3` are.
        seed: of the programs' random numbers; None: they draw as they like.
        wrappers: a folder for `python` and `python3`, where the folder of the interpreter has no such names.

    Example:
        `environment(os.environ, {"ENTRYPOINT_OPTS": "--lr=0.1"}, shims=None, site=None, interpreter=sys.executable)`
    """
    changed = {name: value for name, value in base.items() if not _is_own(name, value)}
    changed.setdefault("PYTHONUNBUFFERED", "1")
    if (Path(interpreter).parents[1] / "pyvenv.cfg").is_file():
        changed["VIRTUAL_ENV"] = str(Path(interpreter).parents[1])
    if seed is not None:
        # the order of sets of texts is chance, too
        changed |= {"PYTHONHASHSEED": "0", SEED_VARIABLE: str(seed)}
    changed.update(node_env)
    changed["PATH"] = _joined([_folder_of(interpreter, wrappers)], changed.get("PATH") or os.defpath)
    # the kernel's path has our own packages where `%load_ext` put them: whether they are seen is decided here
    inherited = [
        entry for entry in changed.get("PYTHONPATH", "").split(os.pathsep) if entry != str(shim_folder())
    ]
    changed["PYTHONPATH"] = _joined([site, shims], os.pathsep.join(inherited))
    if not changed["PYTHONPATH"]:
        del changed["PYTHONPATH"]
    return changed


def _is_own(name: str, value: str) -> bool:
    if name == "MPLBACKEND":
        # of notebooks: a program without a notebook could not import it
        return value.startswith("module://")
    return name in _OWN or name.startswith(_OWN_PREFIX)


def _joined(first: Iterable[str | None], rest: str) -> str:
    """Folders of a path, each once, empty ones left out."""
    return os.pathsep.join(dict.fromkeys(entry for entry in (*first, *rest.split(os.pathsep)) if entry))


def _folder_of(interpreter: str, wrappers: Path | None) -> str:
    """The folder in which `python` and `python3` are the interpreter; made in `wrappers` where there is none."""
    folder = Path(interpreter).parent
    if wrappers is None or all(_is_same(folder / name, interpreter) for name in _NAMES):
        return str(folder)
    wrappers.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _NAMES:
        # a link would not do: beside it there is no pyvenv.cfg
        draft = wrappers / f"{name}.{os.getpid()}.new"
        draft.write_text(f'#!/bin/sh\nexec {shlex.quote(interpreter)} "$@"\n', encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(wrappers / name)
    return str(wrappers)


def _is_same(path: Path, interpreter: str) -> bool:
    return path.exists() and path.resolve() == Path(interpreter).resolve()
