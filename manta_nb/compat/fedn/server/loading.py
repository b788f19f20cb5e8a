"""The class `ServerFunctions` out of its text, with the names FEDn has ready, and calls that say where they fail."""

from __future__ import annotations

import builtins
import typing
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from manta_nb.compat.fedn.server.source import CLASS
from manta_nb.compat.fedn.server.state import MODULE
from manta_nb.errors import MantaError, PackageError
from manta_nb.sdk.parse import one_line
from manta_nb.shims.fedn.network.combiner.hooks.serverfunctionsbase import ServerFunctionsBase

__all__ = ["BASE", "guarded", "load_class"]

#: the class that server functions derive from, whichever FEDn it comes from
BASE: Final = ServerFunctionsBase.__name__
#: what a traceback calls the text
_FILE: Final = "<server_functions>"


def load_class(source: str) -> type:
    """The class `ServerFunctions` of a text, or the only other one that derives from `ServerFunctionsBase`.

    Raises:
        PackageError: the text is no Python, fails, or has no such class.
    """
    try:
        code = compile(source, _FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        raise PackageError(one_line(f"server_functions, {where}{getattr(error, 'msg', error)}")) from None
    namespace = _namespace()
    guarded("server_functions", lambda: exec(code, namespace))  # noqa: S102 - the user's own code is what runs here
    found = namespace.get(CLASS)
    if isinstance(found, type):
        return found
    mine = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == MODULE]
    derived = [each for each in mine if any(base.__name__ == BASE for base in each.__mro__[1:])]
    if len(derived) != 1:
        raise PackageError(f"server_functions have no class {CLASS}: write class {CLASS}({BASE})")
    return derived[0]


def guarded(what: str, call: Callable[[], Any]) -> Any:
    """What `call` returns; whatever it raises becomes one line with the line of the text.

    Raises:
        PackageError: names `what`, the line, the error.
    """
    try:
        return call()
    except MantaError:
        raise
    except Exception as error:
        line = _line_of(error)
        where = f" in line {line}" if line else ""
        raise PackageError(one_line(f"{what} failed{where}: {type(error).__name__}: {error}")) from error


def _line_of(error: BaseException) -> int | None:
    """The innermost line of the text that an error went through."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _namespace() -> dict[str, Any]:
    """What FEDn's own process has in reach of the text, without an import."""
    # imported here, as it sets up the logger of FEDn
    ready = import_module("manta_nb.shims.fedn.network.combiner.hooks.allowed_import")
    return {
        "__builtins__": {**vars(builtins), "__import__": _import},
        "__name__": MODULE,
        **{name: getattr(typing, name) for name in ("Any", "Optional")},
        **{name: getattr(ready, name) for name in ready.__all__},
    }


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """`import` for which `fedn` is manta_nb's own, wherever its folder stands on the path."""
    if level == 0 and name.partition(".")[0] == "fedn":
        part = import_module(f"manta_nb.shims.{name}")
        for each in fromlist or ():
            if not hasattr(part, each):
                _submodule(f"manta_nb.shims.{name}.{each}")
        return part if fromlist else import_module("manta_nb.shims.fedn")
    return builtins.__import__(name, globals, locals, fromlist or (), level)


def _submodule(name: str) -> None:
    """Import a module that "from package import module" asks for, if there is one."""
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
