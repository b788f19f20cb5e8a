"""`%load_ext manta_nb`: puts everything in place in a shell, and takes all of it back."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from IPython.core.interactiveshell import InteractiveShell

import manta_nb
from manta_nb import shims
from manta_nb.ui.complete import make_matcher
from manta_nb.ui.magics import MantaMagics
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.oncepercell import RunDisplay

if TYPE_CHECKING:
    from manta_nb.session.session import Session

__all__ = ["load", "unload"]

#: what the session does not know how to show as widgets: a module and a class in it
_CONTROLS = ("manta_nb.session.controls", "Controls")
#: a variable that remembers what was put before PATH
_PATH_CHANGED = "MANTA_NB_PATH_CHANGED"
_MAGICS = {"line": ("manta",), "cell": ("module", "swarm", "swarm_learning")}


def load(
    shell: InteractiveShell,
    open_session: Callable[..., Session] | None = None,
    make_display: Callable[[], RunDisplay] | None = None,
) -> MantaMagics:
    """Register the magics, their completion, their settings and the compatible packages in `shell`.

    Args:
        shell: IPython's shell.
        open_session: makes a Session; for tests.
        make_display: makes what runs are shown with; for tests.
    """
    opener, displayer = open_session or _open_session, make_display or _make_display
    magics = MantaMagics(shell, lambda settings: Notebook(shell, settings, opener, displayer))
    shell.register_magics(magics)
    matcher = make_matcher(magics.notebook)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)
    if shell.display_formatter is not None:
        shell.display_formatter.ipython_display_formatter.for_type_by_name(*_CONTROLS, _show_controls)
    shell.user_ns.setdefault("manta_nb", manta_nb)
    _install_shims(magics)
    magics.observe(lambda change: _install_shims(magics), names="shims")
    atexit.register(magics.notebook.close)
    if hasattr(shell, "kernel"):
        _door().enter(shell, magics.notebook)
    return magics


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` did; the nodes that a magic started are stopped."""
    if hasattr(shell, "kernel"):
        _door().leave(shell)
    for magics in [each for each in shell.configurables if isinstance(each, MantaMagics)]:
        magics.notebook.unload()
        atexit.unregister(magics.notebook.close)
        shell.configurables.remove(magics)
    for kind, names in _MAGICS.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    if shell.display_formatter is not None:
        shell.display_formatter.ipython_display_formatter.pop(".".join(_CONTROLS), None)
    shell.magics_manager.registry.pop(MantaMagics.__name__, None)
    if shell.Completer is not None:
        matchers = shell.Completer.custom_matchers
        matchers[:] = [each for each in matchers if getattr(each, "__name__", "") != "manta_nb_matcher"]
    if shell.user_ns.get("manta_nb") is manta_nb:
        del shell.user_ns["manta_nb"]
    _apply_shims("off")


def _door() -> Any:
    # by name: without a kernel there is no page that could look
    return import_module("manta_nb.ui.panel.door")


def _install_shims(magics: MantaMagics) -> None:
    magics.notebook.say(*_apply_shims(cast(shims.Position, magics.shims)))


def _apply_shims(position: shims.Position) -> list[str]:
    """In this process and, by the environment, in those it starts (`!python script.py`)."""
    changed = shims.environment(os.environ, position)
    if "PYTHONPATH" in changed:
        os.environ["PYTHONPATH"] = changed["PYTHONPATH"]
    else:
        os.environ.pop("PYTHONPATH", None)
    _choose_python(own=position != "off")
    return shims.install(position)


def _choose_python(own: bool) -> None:
    """`!python` and `!manta-nb` are those of the kernel, also where another environment, or none, is active."""
    folder, entries = os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("python")
    if own and (found is None or os.path.dirname(found) != folder):
        os.environ["PATH"] = os.pathsep.join([folder, *entries])
        os.environ[_PATH_CHANGED] = folder
    elif not own and os.environ.pop(_PATH_CHANGED, None) == folder:
        entries.remove(folder)
        os.environ["PATH"] = os.pathsep.join(entries)


def _open_session(**options: Any) -> Session:
    from manta_nb.session.session import Session  # noqa: PLC0415 - Dask takes most of a second, and nodes may never start

    return Session(**options)


def _make_display() -> RunDisplay:
    from manta_nb.ui.live import RunDisplay  # noqa: PLC0415 - as above: needed when there are nodes

    return RunDisplay()


def _show_controls(controls: Any) -> None:
    from manta_nb.ui.defining.controls import show  # noqa: PLC0415 - ipywidgets, which most sessions never show

    show(controls)
