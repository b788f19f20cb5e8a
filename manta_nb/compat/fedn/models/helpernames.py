"""Which helper a package writes its models with: it is a name somewhere in the package's texts."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from manta_nb.shims.fedn.utils.helpers.helpers import PLUGINS

__all__ = ["DEFAULT_HELPER", "find_helper"]

#: the one that packages use that name none
DEFAULT_HELPER = "numpyhelper"
#: types of helpers until FEDn 0.4
_OLD = {"keras": "kerashelper", "numpyarray": "numpyarrayhelper", "pytorch": "pytorchhelper"}
#: modules of FEDn whose class is the helper, until FEDn 0.4
_MODULES = {"kerasweights": "kerashelper"} | {name: name for name in PLUGINS}
_QUOTED = re.compile(r"""["']([A-Za-z_]\w{0,60})["']""")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def find_helper(sources: Mapping[str, str]) -> str:
    """The name of the helper that the texts of a package speak of.

    Args:
        sources: path in the package → text; files of any kind, also programs without `.py`.

    Returns:
        What `get_helper` is called with, else a text or an import that is the name of a helper, else
        "numpyhelper". A helper that the package brings along is found by the name of its file.

    Example:
        >>> find_helper({"entrypoint": "HELPER_MODULE = 'kerashelper'"})
        'kerashelper'
    """
    own = {PurePosixPath(path).stem for path in sources if path.endswith(".py")}
    found = [hit for path in sorted(sources) for hit in _hits(sources[path], own)]
    return min(found, key=lambda hit: hit[0])[1] if found else DEFAULT_HELPER


def _hits(text: str, own: set[str]) -> Iterator[tuple[int, str]]:
    """How sure it is (0: most) and the helper, for each mention in a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # a shell script, YAML, Python 2
        for match in _QUOTED.finditer(_COMMENT.sub("", text)):
            if match[1] in PLUGINS:
                yield 3, match[1]
        return
    texts = _texts_by_name(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="get_helper") | ast.Attribute(attr="get_helper")):
                argument = [*node.args, *(keyword.value for keyword in node.keywords)][:1]
                if (name := _text_of(argument, texts)) and (name in PLUGINS or name in _OLD or name in own):
                    yield 0, _OLD.get(name, name)
            case ast.ImportFrom(module=str(module)) if module.startswith("fedn.utils."):
                if (name := module.rpartition(".")[2]) in _MODULES:
                    yield 1, _MODULES[name]
            case ast.Assign(value=ast.Constant(value=str(name))) if name in PLUGINS:
                yield 1, name
            case ast.Constant(value=str(name)) if name in PLUGINS:
                yield 2, name


def _texts_by_name(tree: ast.Module) -> dict[str, str]:
    """The names that are assigned one text: `HELPER_MODULE = "numpyhelper"`."""
    texts = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                texts[name] = text
    return texts


def _text_of(arguments: list[ast.expr], texts: Mapping[str, str]) -> str:
    match arguments:
        case [ast.Constant(value=str(text))]:
            return text
        case [ast.Name(id=name)]:
            return texts.get(name, "")
    return ""
