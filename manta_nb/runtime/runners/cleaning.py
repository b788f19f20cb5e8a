"""A clean start for every node's turn: the nodes of a worker share a process, and must not notice."""

from __future__ import annotations

import os
import random
import sys
from _random import Random as BasicRandom
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["CleanStart", "Pools", "find_pools", "seed_everything"]


class Pools(Protocol):
    """The thread pools of numerical libraries, as `threadpoolctl` finds them."""

    def limit(self, *, limits: int, user_api: str) -> object:
        """Let those of one kind use so many threads."""


def find_pools() -> Pools | None:
    """The thread pools of this process; 2.5 ms, so a template looks once for all its children."""
    try:
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - comes with scikit-learn, which a node may lack
    except ImportError:
        return None
    pools: Pools = ThreadpoolController()
    return pools


class CleanStart:
    """Remembers the process as it was when it was made, and brings it back before each turn and after the last."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._environment = dict(os.environ)
        self._raw = dict(_raw_environment())
        self._folder = os.getcwd()

    def begin(self, folder: Path) -> None:
        """Working folder, environment, default dtype and threads as they were."""
        try:
            os.chdir(folder)
        except FileNotFoundError:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chdir(folder)
        self._restore()

    def end(self) -> None:
        """The same after the last turn, in the folder of before: a thread's process goes on."""
        os.chdir(self._folder)
        self._restore()

    def _restore(self) -> None:
        if _raw_environment() != self._raw:
            os.environ.clear()
            os.environ.update(self._environment)
        torch = sys.modules.get("torch")
        if torch is not None:
            self._reset(torch)

    def _reset(self, torch: Any) -> None:
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        if torch.get_default_dtype() is not torch.float32:
            torch.set_default_dtype(torch.float32)


def _raw_environment() -> dict[Any, Any]:
    """The environment to compare; `os.environ` decodes every entry anew, which costs 0.1 ms a turn."""
    raw = getattr(os.environ, "_data", None)
    return raw if isinstance(raw, dict) else dict(os.environ)


def seed_everything(seed: int) -> None:
    """Seed the global generators of random, numpy and (where it is loaded) torch."""
    # what random.seed does with a whole number, in half the time
    generator = random.seed.__self__  # type: ignore[attr-defined]
    generator.gauss_next = None
    BasicRandom.seed(generator, seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - users' programs draw from the global generator
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(seed)
