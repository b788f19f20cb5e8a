"""The first steps of a forked program: everything that a new Python would have set, before its first line runs."""

from __future__ import annotations

import ctypes
import importlib
import io
import os
import resource
import runpy
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, TextIO, cast

from .order import Order

__all__ = ["enter", "program"]

_PR_SET_PDEATHSIG = 1


def enter(order: Order) -> None:
    """Become the process that `order` asks for."""
    with suppress(OSError):
        # killed already, its guard is
        os.setpgid(0, order.group)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != order.parent:
        os._exit(1)
    _descriptors(order.output)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(order.umask)
    os.sched_setaffinity(0, order.processors)
    for name, limits in order.limits.items():
        _limit(getattr(resource, name), (limits[0], limits[1]))
    os.chdir(order.folder)
    folder = os.getcwd()
    os.environ.clear()
    os.environ.update(order.environment)
    _streams()
    sys.argv = list(order.arguments)
    sys.orig_argv = list(order.command)
    if not sys.flags.safe_path:
        first = folder if order.script is None else os.path.dirname(os.path.realpath(order.script))
        sys.path.insert(0, first)
    importlib.invalidate_caches()
    _libraries(folder)
    _draws(order.seed)


def program(order: Order) -> Callable[[], object]:
    """What runs it, in a `__main__` of its own.

    Raises:
        SyntaxError: what Python says where the script is none.
    """
    main = ModuleType("__main__")
    main.__dict__.update(__annotations__={}, __builtins__=sys.modules["builtins"])
    sys.modules["__main__"] = main
    if order.module is not None:
        sys.argv[0] = "-m"
        main.__loader__ = cast("Any", importlib.machinery.BuiltinImporter)
        # what Python itself calls for `-m`
        return partial(runpy._run_module_as_main, order.module)  # type: ignore[attr-defined]
    path = _absolute(str(order.script))
    main.__dict__.update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path))
    with open(path, "rb") as stream:
        code: CodeType = compile(stream.read(), path, "exec", dont_inherit=True)
    return partial(exec, code, main.__dict__)


def _absolute(path: str) -> str:
    """A path as Python makes it absolute, which leaves `.` and `..` in it."""
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def _descriptors(output: list[int]) -> None:
    for target, source in enumerate([os.open(os.devnull, os.O_RDONLY), *output]):
        os.dup2(source, target)
        if source > 2:
            os.close(source)


def _limit(kind: int, limits: tuple[int, int]) -> None:
    if resource.getrlimit(kind) != limits:
        # what this process could not have, its caller could not give to it
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, limits)


def _streams() -> None:
    """The three standard streams, new and empty, of the kind that this Python has made at its start."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, f"__{name}__")
        new = _stream(number, name, old)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _stream(number: int, name: str, old: TextIO) -> TextIO:
    mode = "r" if name == "stdin" else "w"
    unbuffered = mode == "w" and getattr(old, "write_through", False)
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = f"<{name}>"
    buffer: Any = raw
    if not unbuffered:
        buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(
        buffer,
        encoding=old.encoding,
        errors=old.errors,
        newline=None if mode == "r" else "\n",
        line_buffering=bool(old.line_buffering),
        write_through=bool(getattr(old, "write_through", False)),
    )
    stream.mode = mode  # type: ignore[misc]
    return stream


def _libraries(folder: str) -> None:
    """What modules took from the process when they were imported, and would have taken from this one."""
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.ORIGINAL_DIR = folder
        process.current_process().authkey = os.urandom(32)


def _draws(seed: int | None) -> None:
    """Seed what is loaded, and what will be; without a seed nobody draws what another program drew."""
    helper = sys.modules.get("_manta_nb_site")
    if seed is not None and helper is not None:
        helper.seed_programs(seed)
        return
    # random does so by itself
    numpy, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    if numpy is not None:
        numpy.seed()
    if torch is not None:
        torch.default_generator.seed()
