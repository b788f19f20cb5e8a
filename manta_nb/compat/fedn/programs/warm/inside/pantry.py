"""The imports that programs find ready: only what a fork may share with the process it comes from."""

from __future__ import annotations

import importlib
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from typing import Any

from .traces import Traces
from .wanted import EARLY, Lesson, Wanted

__all__ = ["Pantry"]

#: in `avoid`: what programs import as they run is not kept
NOTHING_LATE = ""


class Pantry:
    """Imports modules, and knows what came of it.

    Args:
        roots: folders whose modules may be kept, besides the standard library and the installed packages.
        output: the file that standard output and standard error lead to.
        avoid: module → why it must not be kept.
    """

    def __init__(self, roots: Iterable[str], output: int, avoid: dict[str, str]) -> None:
        self._roots = tuple(os.path.realpath(root) + os.sep for root in (*roots, *_installed()))
        self._output = output
        self.avoid = avoid
        self._environment = dict(os.environ)
        #: what was imported → the variables that it looked at; "*": all of them
        self._looked_at: dict[tuple[str, ...], set[str]] = {}

    def fill(self, wanted: Iterable[Wanted], children: set[int]) -> bool:
        """Import what is `wanted`, in order; False where something came in that must not be kept: start again.

        Args:
            wanted: what programs import.
            children: processes that are meant to be there.
        """
        before: set[tuple[str, ...]] = set()
        for each in wanted:
            key = (each.name, *each.members)
            if each.name in self.avoid or not self._may_keep(each.name.partition(".")[0]):
                continue
            if key not in self._looked_at:
                traces = Traces(self._output, children)
                why = self._import(key, each.late) or traces.left()
                if why:
                    self.avoid[each.name] = why
                    return False
            if not each.set:
                before.add(key)
            elif set_first := self._looked_at_one_of(each.set, before):
                self.avoid[each.name] = f"looks at {set_first}, which the program sets first"
                return False
        return True

    def learn(self, lesson: Lesson, children: set[int]) -> bool:
        """Import what a program has imported as it ran; False where that must not be kept: start again without it.

        Args:
            lesson: what the program tells at its end.
            children: processes that are meant to be there.
        """
        known = [name for name in lesson.names if self._same(name.partition(".")[0], lesson.origins)]
        if NOTHING_LATE in self.avoid or not known:
            return True
        traces, before = Traces(self._output, children), dict(os.environ)
        looked_at = self._looked_at.setdefault(("late", *known), set())
        for name in known:
            try:
                with _watched(looked_at):
                    importlib.import_module(name)
            except ModuleNotFoundError:
                # some are made by others, rather than found
                continue
            except BaseException as error:  # noqa: BLE001 - the program will see it, whatever it is
                self.avoid[NOTHING_LATE] = f"cannot be imported here: {type(error).__name__}"
                return False
        # what the imports themselves set they may look at
        by_imports = {name for name in os.environ if os.environ[name] != before.get(name)}
        _restore(before)
        if why := traces.left() or ", ".join(looked_at & lesson.changed - by_imports):
            self.avoid[NOTHING_LATE] = why
            return False
        return True

    def _same(self, top: str, origins: dict[str, str]) -> bool:
        """Whether what a program found under a name is what is kept under it."""
        if not self._may_keep(top):
            return False
        module = sys.modules.get(top)
        spec = module.__spec__ if module is not None else importlib.util.find_spec(top)
        return spec is not None and (spec.origin or "") == origins.get(top)

    def _looked_at_one_of(self, names: list[str], before: set[tuple[str, ...]]) -> str:
        """One of the variables `names` that an import looked at, those of `before` aside; "": none did."""
        looked_at = set().union(*(seen for key, seen in self._looked_at.items() if key not in before))
        return next(
            (name for name in names if name in looked_at or "*" in looked_at or name.startswith(EARLY)), ""
        )

    def differs(self, environment: dict[str, str]) -> str:
        """A variable for which the imports might have come out otherwise; "" where there is none."""
        names = environment.keys() | self._environment.keys()
        different = [name for name in sorted(names) if environment.get(name) != self._environment.get(name)]
        return self._looked_at_one_of(different, set())

    def as_imports_leave(self, environment: dict[str, str]) -> dict[str, str]:
        """An environment after the imports: some set or remove variables."""
        left = dict(environment)
        now = dict(os.environ)
        for name in now.keys() | self._environment.keys():
            before, after = self._environment.get(name), now.get(name)
            if before == after or left.get(name) != before:
                continue
            left.pop(name, None)
            left.update({} if after is None else {name: after})
        return left

    def _import(self, key: tuple[str, ...], late: bool) -> str:
        """Why it did not work; "" where it did."""
        name, *members = key
        looked_at = self._looked_at.setdefault(key, set())
        before = dict(os.environ)
        try:
            with _watched(looked_at):
                __import__(name, {"__name__": "__main__"}, None, members, 0)
        except BaseException as error:  # noqa: BLE001 - the program will see it, whatever it is
            return f"cannot be imported here: {type(error).__name__}"
        if late:
            _restore(before)
        return ""

    def _may_keep(self, top: str) -> bool:
        """Whether a module is installed: what else is on the path is somebody's work, and may change."""
        if top in sys.modules:
            return True
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError, AttributeError):
            return False
        return spec is not None and all(self._inside(place) for place in _places(spec))

    def _inside(self, place: str) -> bool:
        return place in {"built-in", "frozen"} or os.path.realpath(place).startswith(self._roots)


def _places(spec: ModuleSpec) -> list[str]:
    if spec.origin is not None:
        return [spec.origin]
    return list(spec.submodule_search_locations or ["?"])


def _installed() -> list[str]:
    paths = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [*paths, *site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]


def _restore(environment: dict[str, str]) -> None:
    if os.environ != environment:
        os.environ.clear()
        os.environ.update(environment)


@contextmanager
def _watched(looked_at: set[str]) -> Iterator[None]:
    """Note which variables are looked at while the block runs."""
    plain: Any = type(os.environ)

    class Watched(plain):  # type: ignore[misc]
        def __getitem__(self, name: str) -> Any:
            looked_at.add(name)
            return super().__getitem__(name)

        def __iter__(self) -> Iterator[str]:
            looked_at.add("*")
            return iter(super().__iter__())

    os.environ.__class__ = Watched
    try:
        yield
    finally:
        os.environ.__class__ = plain
