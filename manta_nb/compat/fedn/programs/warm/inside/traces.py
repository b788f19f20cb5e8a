"""What the import of a module left in the process besides the module: a fork must find nothing of that kind."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["Traces"]


class Traces:
    """The process as it was when this was made, to compare with.

    Args:
        output: the file that standard output and standard error lead to.
        children: processes that are meant to be there.
    """

    def __init__(self, output: int, children: set[int]) -> None:
        self._output = output
        self._children = children
        self._printed = os.fstat(output).st_size
        self._threads = _threads()
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._path = list(sys.path)
        self._draws = _draws()
        self._folder = _folder()

    def left(self) -> str:
        """What an import left that programs would notice, in a few words; "" where it left nothing."""
        _flush()
        if os.fstat(self._output).st_size != self._printed:
            return "prints something"
        if _threads() > self._threads and not self._threads_end_with_a_fork():
            return "leaves threads"
        if _processes() - self._children:
            return "leaves processes"
        if (sys.stdin, sys.stdout, sys.stderr) != self._streams:
            return "replaces sys.stdout"
        if sys.path != self._path or _folder() != self._folder:
            return "changes sys.path or the working directory"
        if any(now != then for now, then in zip(_draws(), self._draws, strict=True) if then is not None):
            return "draws random numbers"
        return "uses the GPU" if _devices() else ""

    def _threads_end_with_a_fork(self) -> bool:
        """OpenBLAS takes its threads down before a fork, and starts them when it needs them again."""
        _reap(_forked())
        return _threads() <= self._threads


def _forked() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid


def _reap(pid: int) -> None:
    os.waitpid(pid, 0)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _folder() -> str | None:
    """The working directory; None where somebody took it away."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _threads() -> int:
    """How many threads there are, but for those of jemalloc (pyarrow), which sees to it that a fork does without."""
    names = []
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/comm", encoding="utf-8", errors="replace") as stream:
                names.append(stream.read().strip())
        except OSError:
            # it has ended since
            continue
    return sum(name != "jemalloc_bg_thd" for name in names)


def _processes() -> set[int]:
    """The children of this process, where the system tells."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
            return {int(pid) for pid in stream.read().split()}
    except OSError:
        return set()


def _devices() -> bool:
    """Whether a device of NVIDIA's or AMD's is open: what begins before a fork is broken behind it."""
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
            return True
    return False


def _draws() -> tuple[Any, Any, Any]:
    """The states of the global generators of random, numpy and torch; None of one that is not there."""
    plain, numpy, torch = (sys.modules.get(name) for name in ("random", "numpy.random", "torch"))
    return (
        None if plain is None else plain.getstate(),
        None if numpy is None else _numpy_state(numpy),
        None if torch is None else bytes(torch.default_generator.get_state().numpy()),
    )


def _numpy_state(random: Any) -> tuple[Any, ...]:
    name, keys, *rest = random.get_state()
    return (name, bytes(keys), *rest)
