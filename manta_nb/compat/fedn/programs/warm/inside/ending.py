"""The end of a forked program, as Python would end: what was raised is shown, what is to run at exit runs.

A real end takes 0.2 s where torch is loaded, as it takes everything down that the imports built; here only what the
program itself made is taken down.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import sys
import traceback
import weakref
from types import ModuleType, TracebackType
from typing import NoReturn

__all__ = ["conclude", "end"]

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
#: the code of a program that was interrupted: it dies of the signal
_INTERRUPTED = -signal.SIGINT
#: the code of a program whose output could not be written
_UNWRITTEN = 120


def conclude(error: BaseException) -> int:
    """Show what a program raised, as Python does; returns its exit code."""
    error.with_traceback(_own(error.__traceback__))
    if isinstance(error, SystemExit):
        return _leave(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _say("sys.excepthook is missing\n")
        hook = sys.__excepthook__
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit as other:
        return _leave(other)
    except BaseException as other:  # noqa: BLE001 - whatever a program's hook does
        _say("Error in sys.excepthook:\n")
        other.__context__ = None
        other.with_traceback(_own(other.__traceback__))
        sys.__excepthook__(type(other), other, other.__traceback__)
        _say("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, error.__traceback__)
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _own(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins with the program's own code."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_HERE):
        trace = trace.tb_next
    return trace


def _leave(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF if -(2**63) <= error.code < 2**63 else 0xFF
    _say(f"{error.code}\n")
    return 1


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


def end(code: int, before: set[str]) -> NoReturn:
    """End this process; `before` are the modules that it began with."""
    try:
        code = _finish(code, before)
    except BaseException:  # noqa: BLE001 - nothing of a program may keep it from ending
        traceback.print_exc()
    finally:
        if code == _INTERRUPTED:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(code & 0xFF)


def _finish(code: int, before: set[str]) -> int:
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    written = _flush()
    _take_down(before)
    written = _flush() and written
    # what C code printed
    ctypes.CDLL(None).fflush(None)
    return code if written else _UNWRITTEN


def _flush() -> bool:
    written = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            written = written and stream is not sys.stdout
    return written


def _take_down(before: set[str]) -> None:
    """Take down the modules of the program, in Python's order: files are written, objects say goodbye."""
    # as Python does before it takes anything away
    gc.collect()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    names = [name for name in sys.modules if name not in before or name == "__main__"]
    modules = [weakref.ref(found) for name in names if isinstance(found := sys.modules[name], ModuleType)]
    found = None  # type: ignore[assignment]
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in names:
        del sys.modules[name]
    gc.collect()
    for reference in reversed(modules):
        module = reference()
        if module is not None:
            _clear(vars(module))


def _clear(names: dict[str, object]) -> None:
    """First what begins with one underscore, then the rest: what objects need to say goodbye goes last."""
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) == private:
                names[name] = None
