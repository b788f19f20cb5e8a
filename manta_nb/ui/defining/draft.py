"""`Draft`: a swarm as it stands on the builder's canvas, half made or whole; it comes from a browser, so is checked."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from manta_nb.errors import MantaError
from manta_nb.sdk.codec import encode
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Box", "Draft", "literal", "placed"]

#: more than this is no drawing any more
MOST = 200


@dataclass(frozen=True)
class Box:
    """One task on the canvas: a module's variable, and what it is told beyond the module's own options."""

    key: str
    module: str
    #: "all", "any", or "" for what the module says
    method: str = ""
    #: texts as they were typed
    maximum: str = ""
    nodes: str = ""


@dataclass(frozen=True)
class Draft:
    """All that is on the canvas; texts are as they were typed."""

    name: str
    iterations: str
    seed: str
    boxes: tuple[Box, ...]
    #: `(from, to)` by the boxes' keys
    arrows: tuple[tuple[str, str], ...]
    #: `(tag, text of its value)`
    globals: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, raw: object) -> Draft:
        """What a browser sent; what is malformed in it is left out."""
        given = raw if isinstance(raw, Mapping) else {}
        boxes = tuple(
            Box(*(_text(item, name) for name in ("key", "module", "method", "maximum", "nodes")))
            for item in _items(given, "boxes")
        )
        known = {box.key for box in boxes}
        pairs = [(_text(item, "from"), _text(item, "to")) for item in _items(given, "arrows")]
        return cls(
            _text(given, "name"),
            _text(given, "iterations"),
            _text(given, "seed"),
            boxes,
            tuple(dict.fromkeys(pair for pair in pairs if known.issuperset(pair))),
            tuple((_text(item, "tag"), _text(item, "text")) for item in _items(given, "globals")),
        )

    def inputs(self, box: Box) -> tuple[str, ...]:
        """The keys of the boxes that this one waits for."""
        return tuple(before for before, after in self.arrows if after == box.key)

    def circle(self) -> str:
        """`a → b → a`, or "" where the arrows go in none."""
        sorter = TopologicalSorter({box.key: self.inputs(box) for box in self.boxes})
        try:
            sorter.prepare()
        except CycleError as error:
            names = {box.key: box.module for box in self.boxes}
            return " → ".join(names[key] for key in error.args[1])
        return ""

    def layers(self) -> list[list[Box]]:
        """The boxes by their distance from the start; there must be no circle."""
        boxes = {box.key: box for box in self.boxes}
        depth: dict[str, int] = {}
        for key in TopologicalSorter({box.key: self.inputs(box) for box in self.boxes}).static_order():
            depth[key] = 1 + max((depth[before] for before in self.inputs(boxes[key])), default=-1)
        deepest = max(depth.values(), default=-1)
        return [[box for box in self.boxes if depth[box.key] == level] for level in range(deepest + 1)]


def literal(tag: str, text: str, namespace: Mapping[str, Any]) -> str:
    """The Python text of a Global's value: a literal, or a variable of the notebook.

    Raises:
        MantaError: it is neither, or the value cannot travel.
    """
    what = f"Global {shorten(tag, 40)}"
    if text.strip().isidentifier() and text.strip() in namespace:
        encode(namespace[text.strip()], what)
        return text.strip()
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        shown = shorten(text.strip(), 60) or "nothing"
        raise MantaError(
            one_line(f'{what}: {shown} is no value; write 0.1, [1, 2], {{"lr": 0.1}}, "text" or a variable')
        ) from None
    if not _finite(value):
        raise MantaError(f"{what}: a number of the value is too large")
    encode(value, what)
    return repr(value)


def placed(box: Box, module: Module | None) -> str:
    """The text of one task: `worker`, or `worker.with_options(maximum=3)`.

    Raises:
        MantaError: there is no such module, or it cannot be placed like that.
    """
    if module is None:
        raise MantaError(f"the notebook has no module {shorten(box.module, 40)} (any more)")
    options: dict[str, Any] = {"method": box.method} if box.method in ("all", "any") else {}
    if box.maximum.strip():
        options["maximum"] = _maximum(box)
    if names := [name.strip() for name in box.nodes.split(",") if name.strip()]:
        options["specified_ids"] = names
    if not options:
        return box.module
    module.with_options(**options)
    return f"{box.module}.with_options({', '.join(f'{name}={value!r}' for name, value in options.items())})"


def _maximum(box: Box) -> int | float:
    text = box.maximum.strip()
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError:
        raise MantaError(
            one_line(f"{box.module}: at most {shorten(text, 30)} nodes? give a number, or a part such as 0.5")
        ) from None


def _finite(value: object) -> bool:
    if isinstance(value, float | complex):
        return math.isfinite(abs(value))
    if isinstance(value, Mapping):
        return all(map(_finite, [*value.keys(), *value.values()]))
    return all(map(_finite, value)) if isinstance(value, list | tuple | set) else True


def _items(given: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = given.get(name)
    for item in found[:MOST] if isinstance(found, list) else []:
        if isinstance(item, Mapping):
            yield item


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""
