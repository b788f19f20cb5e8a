"""Hooks of the Python that runs a program of a package: its seed, and torchvision beside a torch without CUDA.

The folder of this file stands on the programs' PYTHONPATH. It has to work in any Python, also one without manta_nb.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

__all__ = ["begin", "run_next", "seed_programs"]


def begin(seed: str, bygone: bool = False) -> None:
    """Set the hooks.

    Args:
        seed: of the program, a whole number as text; "": it draws as it likes.
        bygone: whether it finds what numpy and Keras no longer have.
    """
    hooks = _Hooks()
    if bygone:
        import_module("_manta_nb_bygone").begin(hooks.after)
    hooks.before["torchvision._meta_registrations"] = _declare_operators
    for name in _DRAWERS:
        undisturbed = _Undisturbed()
        hooks.before[name], hooks.after[name] = undisturbed.remember, undisturbed.bring_back
    sys.meta_path.insert(0, hooks)
    if seed.isdecimal():
        seed_programs(int(seed))


def seed_programs(seed: int) -> None:
    """Seed `random` now, numpy and torch now or right after their import: the same numbers cold and warm.

    Example:
        >>> seed_programs(7)
    """
    random.seed(seed)
    hooks = next((finder for finder in sys.meta_path if isinstance(finder, _Hooks)), None)
    for name, start in _GENERATORS.items():
        module = sys.modules.get(name)
        if module is not None:
            start(module, seed)
        elif hooks is not None:
            hooks.after[name] = _Later(start, seed)


def run_next(folder: str) -> None:
    """Run the `sitecustomize` that Python would have found without this `folder` on its path."""
    others = [path for path in sys.path if os.path.realpath(path or os.curdir) != os.path.realpath(folder)]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    # a program that looks for it finds that one
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _seed_numpy(module: Any, seed: int) -> None:
    module.seed(seed % 2**32)


def _seed_torch(module: Any, seed: int) -> None:
    # it takes 64 bits
    module.manual_seed(seed % 2**64)


#: numpy's newer versions load the module of the global generator late, and it is not to be loaded earlier
_GENERATORS: dict[str, Callable[[Any, int], None]] = {"numpy.random": _seed_numpy, "torch": _seed_torch}
#: modules that draw from the global generator while they are imported: programs draw the same with and without them
_DRAWERS = ("rich.style",)
_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _declare_operators() -> object:
    """Where torchvision's own wheel finds no CUDA it has no operators, and its import fails at two of them.

    Declared, but not there, they fail where they are used. Models, transforms and datasets need none.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "library"):
        return None
    missing = [
        schema for schema in _OPERATORS if not hasattr(torch.ops.torchvision, schema.partition("(")[0])
    ]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in missing:
        library.define(schema)
    return library


class _Later:
    """Seeds a module once it is there."""

    def __init__(self, start: Callable[[Any, int], None], seed: int) -> None:
        self._start = start
        self._seed = seed

    def __call__(self, module: ModuleType) -> None:
        self._start(module, self._seed)


class _Undisturbed:
    """Keeps the global generator of `random` as it was before an import."""

    def __init__(self) -> None:
        self._state: Any = None

    def remember(self) -> None:
        self._state = random.getstate()

    def bring_back(self, module: ModuleType) -> None:
        random.setstate(self._state)


class _Hooks:
    """Calls a function before or after a module is executed, and leaves no other trace in it."""

    def __init__(self) -> None:
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[ModuleType], None]] = {}
        #: what was declared is there as long as what declared it
        self._kept: list[object] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`: what the other finders find, with the hooks."""
        if name not in self.before and name not in self.after:
            return None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                self._hook(spec.loader, name)
                return spec
        return None

    def _hook(self, loader: Any, name: str) -> None:
        execute = getattr(loader, "exec_module", None)
        if execute is None or not hasattr(loader, "__dict__"):
            return

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            # only now: whoever merely looks for a module, as TensorFlow does for keras, does not execute it
            before, after = self.before.pop(name, None), self.after.pop(name, None)
            if before is not None:
                self._kept.append(before())
            execute(module)
            if after is not None:
                after(module)

        loader.exec_module = exec_module
