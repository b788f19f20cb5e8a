"""Names a module's cell uses and nobody defines, each with its cure from the notebook.

Nothing of the notebook travels but the text of the cell, so a name that only the notebook knows is undefined on
a node. The check runs where the cell does, not twenty iterations later on node 7.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from pyflakes.checker import Builtin, Checker  # type: ignore[import-untyped]
from pyflakes.messages import UndefinedName  # type: ignore[import-untyped]

from manta_nb.errors import DefinitionError
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line, parse_text

__all__ = ["check_names", "import_of", "undefined_names", "usual_import"]

#: what people mean by these names
_USUAL: Mapping[str, str] = MappingProxyType(
    {
        "np": "import numpy as np",
        "pd": "import pandas as pd",
        "torch": "import torch",
        "nn": "import torch.nn as nn",
        "F": "import torch.nn.functional as F",
        "Task": "from manta_light.task import Task",
        "numpy_to_bytes": "from manta_light.utils import numpy_to_bytes",
        "bytes_to_numpy": "from manta_light.utils import bytes_to_numpy",
    }
)

#: IPython puts these among Python's own names, so that pyflakes takes them for such
_NOTEBOOK_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "display": "print(…) appears in the run's logs, results.add(…) hands a value on",
        "get_ipython": "leave it out",
    }
)


class _Checker(Checker):  # type: ignore[misc]
    """pyflakes, for a place where there is no notebook."""

    def addBinding(self, node: Any, value: Any) -> None:  # noqa: N802 - pyflakes' own name
        """Called for every name that gets a meaning, Python's own ones first."""
        if not (isinstance(value, Builtin) and value.name in _NOTEBOOK_ONLY):
            super().addBinding(node, value)


def undefined_names(text: str, origin: str) -> list[tuple[str, int]]:
    """`(name, line)` of each name that is used and defined nowhere in `text`, once, in the order of the lines."""
    # Warnings of the user's text are told when the cell runs; pyflakes must not print a second set.
    checker = _Checker(parse_text(text, origin), filename="__init__.py")
    found: dict[str, int] = {}
    for message in sorted(checker.messages, key=lambda message: message.lineno):
        if isinstance(message, UndefinedName):
            found.setdefault(message.message_args[0], message.lineno)
    return list(found.items())


def check_names(text: str, origin: str, namespace: Mapping[str, Any]) -> None:
    """Refuse a cell with an undefined name.

    Args:
        text: the file, its first line standing for the magic's line.
        origin: "Cell In[3]".
        namespace: the notebook's variables, to find the cure in.

    Raises:
        DefinitionError: such as `Cell In[3], line 4: np is not imported in this module (…): add that line here`.
    """
    undefined = undefined_names(text, origin)
    if not undefined:
        return
    name, line = undefined[0]
    others = ", ".join(other for other, _ in undefined[1:4])
    more = f" (also {shorten(others, 30)})" if others else ""
    raise DefinitionError(one_line(f"{origin}, line {line}: {_cure(name, namespace)}{more}"))


def import_of(name: str, value: object) -> str:
    """The import that gives `value` under `name` on any machine; "" where there is none."""
    if isinstance(value, ModuleType):
        if _is_cell_package(value.__name__):
            return ""
        return f"import {value.__name__}" if value.__name__ == name else f"import {value.__name__} as {name}"
    home = getattr(value, "__module__", None)
    inner = getattr(value, "__qualname__", None)
    if (
        not isinstance(home, str)
        or not isinstance(inner, str)
        or home == "__main__"
        or _is_cell_package(home)
    ):
        return ""
    if getattr(sys.modules.get(home), inner, None) is not value:
        return ""
    home = _public_home(home, inner, value)
    return f"from {home} import {inner}" if inner == name else f"from {home} import {inner} as {name}"


def usual_import(name: str) -> str:
    """The import that people mean by a name; "" where there is none.

    >>> usual_import("np")
    'import numpy as np'
    """
    return _USUAL.get(name, "")


def _cure(name: str, namespace: Mapping[str, Any]) -> str:
    shown = shorten(name, 40)
    if name in _NOTEBOOK_ONLY:
        return f"{shown} is there in notebooks only, a node has no screen: {_NOTEBOOK_ONLY[name]}"
    if name not in namespace:
        return _unknown(shown, namespace)
    value = namespace[name]
    if found := import_of(name, value):
        return f'{shown} is not imported in this module (in the notebook it is "{found}"): add that line here'
    if package := _cell_package(value):
        file = "" if "." not in package else f"{package.partition('.')[2]}.py of "
        return f"{shown} is in {file}module {package.partition('.')[0]}: give this module that file, too (--file)"
    if isinstance(value, type | FunctionType):
        kind = "class" if isinstance(value, type) else "function"
        return f"{shown} is a {kind} of the notebook; nothing of it travels but this text: define {shown} in this cell"
    return _variable_cure(shown)


def _variable_cure(name: str) -> str:
    hand_over = f'set_global("{name}", {name}) before the flow and read self.world.globals["{name}"]'
    long = f"{name} is a variable of the notebook; nothing of it travels but this text: {hand_over}, or define it here"
    # about 25 characters go to the cell and the line; a long name leaves no room for the whole sentence
    return (
        long
        if len(long) <= 172
        else f"{name} is a variable of the notebook, only this text travels: {hand_over}"
    )


def _unknown(name: str, namespace: Mapping[str, Any]) -> str:
    if name in _USUAL:
        return f'{name} is not imported in this module: add "{_USUAL[name]}" here'
    likely = did_you_mean(name, [known for known in namespace if not known.startswith("_")])
    return f"{name} is not defined in this module{likely}: import it or define it in this cell"


def _public_home(home: str, name: str, value: object) -> str:
    """`manta_light.task` rather than the place the class really lives in."""
    for shim in ("manta_light.task", "manta_light.utils"):
        if home.startswith("manta_nb.") and getattr(sys.modules.get(shim), name, None) is value:
            return shim
    return home


def _is_cell_package(home: str) -> bool:
    """Was it imported from a `%%module` cell?"""
    root = sys.modules.get(home.partition(".")[0])
    return hasattr(root, "__manta_version__")


def _cell_package(value: object) -> str:
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return home if isinstance(home, str) and _is_cell_package(home) else ""
