"""Loads a swarm from a file: `FILE.py[:Class]` and `-p` parameters, as `manta-nb run` takes them."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from manta_nb import shims
from manta_nb.errors import DefinitionError, UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.source import module_base
from manta_nb.sdk.swarm import FlowSwarm, Swarm

__all__ = ["load_swarm", "parse_params", "split_spec"]

#: marks what was imported from a swarm's folder, so that the next load reads the files anew
_MARK = "__manta_nb_swarm_folder__"

#: a text that needs no quotes in `-p name=text`
_BARE_WORD = re.compile(r"[^\W\d][\w./\\:@+-]*\Z")


def load_swarm(
    spec: str, params: Mapping[str, Any] | None = None, *, position: shims.Position = "first"
) -> Swarm:
    """The swarm a file defines.

    The file's folder is first on `sys.path` while it is loaded, and its modules' paths are tried from there,
    too. It is loaded anew each time, under a private name. What the file itself raises is not touched.

    Args:
        spec: `FILE.py` or `FILE.py:Class`.
        params: arguments of the class.
        position: where the compatible packages stand on the path, see `shims.install`.

    Raises:
        UsageError: there is no such file, class or parameter.
        DefinitionError: the file defines no swarm, or several and none was named.
    """
    path, wanted = split_spec(spec)
    if not path.is_file():
        raise UsageError(
            one_line(
                f"no swarm file {shorten(str(path), 80)}{_other_file(path)}: give FILE.py or FILE.py:Class"
            )
        )
    shims.install(position)
    folder = path.resolve().parent
    with _imports_from(folder):
        module = _execute(path)
        kind = _choose(_swarms(module), wanted, path.name)
        arguments = _bind(kind, params or {})
        return kind(*arguments.args, **arguments.kwargs)


def parse_params(texts: Sequence[str]) -> dict[str, Any]:
    """`["n=8", "name=fl"]` → `{"n": 8, "name": "fl"}`: Python literals, or a bare word as a text.

    Raises:
        UsageError: one is not NAME=VALUE, is given twice, or its value cannot be read.
    """
    params: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise UsageError(
                one_line(f"-p takes NAME=VALUE, such as -p n_workers=8, got {shorten(text, 60)!r}")
            )
        if name in params:
            raise UsageError(one_line(f"-p {name} is given twice"))
        params[name] = _value(name, value.strip())
    return params


def split_spec(spec: str) -> tuple[Path, str]:
    """`("swarm.py", "FLSwarm")` of `swarm.py:FLSwarm`; the class is "" where none is named."""
    file, colon, name = spec.rpartition(":")
    # What follows the colon of C:\swarm.py is no name of a class.
    if not colon or len(file) < 2 or not name.isidentifier():
        return Path(spec).expanduser(), ""
    return Path(file).expanduser(), name


def _value(name: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if text.capitalize() in ("True", "False", "None") or text == "null":
            word = "None" if text == "null" else text.capitalize()
            raise UsageError(f"-p {name}={text}: Python writes it {word}") from None
        if _BARE_WORD.match(text):
            return text
        raise UsageError(
            one_line(
                f"-p {name}={shorten(text, 60)} is no Python value: a text with blanks or signs needs quotes"
            )
        ) from None


@contextmanager
def _imports_from(folder: Path) -> Iterator[None]:
    """Import from `folder` first while the block runs, and forget what an earlier load imported."""
    for name in [name for name, module in [*sys.modules.items()] if _MARK in _names(module)]:
        del sys.modules[name]
    importlib.invalidate_caches()
    before = {*sys.modules}
    token = module_base.set(folder)
    sys.path.insert(0, str(folder))
    # A cached .pyc is told from an edited file by the second and the size only.
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        module_base.reset(token)
        for name in {*sys.modules} - before:
            if _lies_in(sys.modules[name], folder):
                _names(sys.modules[name])[_MARK] = str(folder)


def _names(module: ModuleType) -> dict[str, Any]:
    # Not getattr: torch.classes, a module, has whatever attribute one asks it for.
    return getattr(module, "__dict__", {})


def _lies_in(module: ModuleType, folder: Path) -> bool:
    names = _names(module)
    places = [names.get("__file__"), *(names.get("__path__") or [])]
    return any(
        isinstance(place, str)
        and Path(place).is_relative_to(folder)
        and "site-packages" not in Path(place).parts
        for place in places
    )


def _execute(path: Path) -> ModuleType:
    digest = hashlib.blake2b(
        str(path.resolve()).encode("utf-8", "surrogateescape"), digest_size=4
    ).hexdigest()
    name = f"_manta_nb_swarm_{digest}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(one_line(f"{path.name} is not a Python file: give FILE.py or FILE.py:Class"))
    module = importlib.util.module_from_spec(spec)
    # Where a dataclass or get_type_hints of the file looks its names up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _swarms(module: ModuleType) -> dict[str, type[Swarm]]:
    """The Swarm subclasses a file defines; where it defines none, those it imports."""
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Swarm) and value not in (Swarm, FlowSwarm)
    }
    own = {name: kind for name, kind in found.items() if kind.__module__ == module.__name__}
    return own or found


def _choose(swarms: Mapping[str, type[Swarm]], wanted: str, file: str) -> type[Swarm]:
    names = list(swarms)
    if wanted:
        if wanted not in swarms:
            there = f"there is {listed(names)}" if names else "it defines none"
            raise UsageError(
                one_line(f"{file} has no swarm {wanted!r}{did_you_mean(wanted, names)}: {there}")
            )
        return swarms[wanted]
    kinds = [*dict.fromkeys(swarms.values())]
    if not kinds:
        raise DefinitionError(
            one_line(
                f'{file} defines no swarm: write "class MySwarm(Swarm):" with "from manta.swarm import Swarm"'
            )
        )
    if len(kinds) > 1:
        raise DefinitionError(
            one_line(
                f"{file} defines {len(kinds)} swarms, {listed(names)}: say which, as in {file}:{names[-1]}"
            )
        )
    return kinds[0]


def _bind(kind: type[Swarm], params: Mapping[str, Any]) -> inspect.BoundArguments:
    signature = inspect.signature(kind)
    shown = f"{kind.__name__}{signature}"
    takes_any = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    for name in params:
        if name not in signature.parameters and not takes_any:
            hint = did_you_mean(name, signature.parameters)
            raise UsageError(one_line(f"{kind.__name__} has no parameter {name!r}{hint}: it is {shown}"))
    try:
        return signature.bind(**params)
    except TypeError as error:
        raise UsageError(
            one_line(f"{kind.__name__} cannot be made, {error}: it is {shown}; give -p NAME=VALUE")
        ) from None


def _other_file(path: Path) -> str:
    """A hint for a name without `.py`, or a misspelt one."""
    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, [other.name for other in path.parent.glob("*.py")])
