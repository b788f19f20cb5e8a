"""The Python half and the TypeScript half of the protocol say the same."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints

import pytest

from manta_nb.ui.panel import protocol

TYPESCRIPT = Path(__file__).parents[3] / "extension" / "src" / "protocol.ts"

#: name → field → (whether it may be absent, its type)
Shapes = dict[str, dict[str, tuple[bool, str]]]

PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", Any: "unknown", type(None): "null"}


def in_typescript(hint: Any) -> str:
    """A Python type as TypeScript says it, the members of a union in order of the alphabet."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(sorted(f"'{word}'" for word in inner))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(sorted(in_typescript(part) for part in inner))
    if origin is list:
        return f"{in_typescript(inner[0])}[]"
    if origin is dict:
        return f"Record<{in_typescript(inner[0])}, {in_typescript(inner[1])}>"
    return PLAIN.get(hint) or hint.__name__


def python_shapes() -> Shapes:
    """What the TypedDicts say."""
    shapes: Shapes = {}
    for name, kind in vars(protocol).items():
        if not typing.is_typeddict(kind) or kind.__module__ != protocol.__name__:
            continue
        shapes[name] = {}
        for field, hint in get_type_hints(kind, include_extras=True).items():
            optional = get_origin(hint) is NotRequired
            shapes[name][field] = (optional, in_typescript(get_args(hint)[0] if optional else hint))
    return shapes


def typescript_shapes(text: str) -> Shapes:
    """What the interfaces say."""
    shapes: Shapes = {}
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    for name, body in re.findall(r"export interface (\w+) \{(.*?)\n\}", text, flags=re.DOTALL):
        fields = [line.strip() for line in body.split(";") if line.strip()]
        shapes[name] = {}
        for line in fields:
            found = re.fullmatch(r"(\w+)(\??):\s*(.+)", line, flags=re.DOTALL)
            assert found is not None, f"{name}: what is {line!r}?"
            parts = sorted(part.strip() for part in found[3].split("|"))
            shapes[name][found[1]] = (bool(found[2]), " | ".join(parts))
    return shapes


def test_both_halves_know_the_same_messages():
    """Each message has the same fields with the same types here and there, and may lack the same ones."""
    assert typescript_shapes(TYPESCRIPT.read_text(encoding="utf-8")) == python_shapes()


def test_both_halves_count_the_same_version():
    """A page and a kernel of one release talk to each other."""
    found = re.search(r"export const PROTOCOL = (\d+);", TYPESCRIPT.read_text(encoding="utf-8"))

    assert found is not None
    assert int(found[1]) == protocol.PROTOCOL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("token: string", "token: number"),
        ("token: string", "token?: string"),
        ("token: string;", ""),
        ("'stop' | 'resume'", "'stop'"),
        ("completions?: Completion[]", "completions?: Completion"),
        ("states: Record<string, number>", "states: Record<string, string>"),
        ("export interface View {", "export interface Look {"),
    ],
)
def test_a_difference_is_seen(before, after):
    """Whatever one half changes alone, a name, a type, or what may be absent, is found by the comparison."""
    text = TYPESCRIPT.read_text(encoding="utf-8")
    assert before in text

    assert typescript_shapes(text.replace(before, after, 1)) != python_shapes()
