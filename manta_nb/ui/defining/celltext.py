"""From what is on the builder's canvas to the text of the `%%swarm` cell it means.

A graph whose layers each wait for all of the layer before becomes a flow, `worker >> [a, b] >> aggregator`; any
other becomes calls that are handed on, and one with several ends a small `Swarm` class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

from manta_nb.errors import MantaError
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.ui import values
from manta_nb.ui.defining.draft import Box, Draft, literal, placed

__all__ = ["CellText", "cell_text"]


@dataclass(frozen=True)
class CellText:
    """A `%%swarm` cell, and what keeps it from running, each in one line."""

    line: str
    body: str
    problems: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole cell."""
        return f"%%swarm {self.line}\n{self.body}"


def cell_text(draft: Draft, namespace: Mapping[str, Any], nodes: Collection[str] = ()) -> CellText:
    """The cell of a draft.

    Args:
        draft: what is on the canvas.
        namespace: the notebook's variables: its modules, and values for Globals.
        nodes: the nodes there are; none where that is not known.
    """
    problems: list[str] = []
    line = _line(draft, namespace, problems)
    first = _globals(draft, namespace, problems)
    flow = _flow(draft, namespace, problems)
    problems += _unknown_nodes(draft, nodes)
    return CellText(line, "\n".join([*first, *flow]), tuple(dict.fromkeys(problems)))


def _line(draft: Draft, namespace: Mapping[str, Any], problems: list[str]) -> str:
    name = _tried(problems, lambda: values.identifier("the name", draft.name))
    parts = [name or "NAME"]
    if draft.iterations:
        parts += [
            "--iterations",
            str(_tried(problems, lambda: values.iterations("iterations", draft.iterations))),
        ]
    elif not any(
        module.usage.stops for module in map(namespace.get, _names(draft)) if isinstance(module, Module)
    ):
        problems.append("nothing ends this swarm: say how many iterations (or forever)")
    if draft.seed:
        parts += ["--seed", str(_tried(problems, lambda: values.whole(0)("seed", draft.seed)))]
    if isinstance(namespace.get(draft.name), Module):
        problems.append(f"{draft.name} is a module: give the run another name, such as fl")
    return " ".join(parts)


def _globals(draft: Draft, namespace: Mapping[str, Any], problems: list[str]) -> list[str]:
    lines, seen = [], set[str]()
    for tag, text in draft.globals:
        if not tag and not text:
            continue
        if not tag or tag in seen:
            problems.append(f"two Globals are called {shorten(tag, 40)}" if tag else "a Global has no tag")
            continue
        seen.add(tag)
        value = _tried(problems, lambda tag=tag, text=text: literal(tag, text, namespace))  # type: ignore[misc]
        lines.append(f"set_global({_quoted(tag)}, {value if value is not None else '…'})")
    return lines


def _flow(draft: Draft, namespace: Mapping[str, Any], problems: list[str]) -> list[str]:
    if not draft.boxes:
        problems.append("no task yet: add a module")
        return []
    if circle := draft.circle():
        problems.append(one_line(f"the arrows go in a circle, {circle}: the graph is repeated without that"))
        return []
    texts: dict[str, str] = {}
    for box in draft.boxes:
        found = namespace.get(box.module)
        module = found if isinstance(found, Module) else None
        texts[box.key] = _tried(problems, lambda box=box, module=module: placed(box, module)) or "…"  # type: ignore[misc]
    layers = draft.layers()
    return [_chain(layers, texts)] if _is_chain(draft, layers) else _calls(draft, layers, texts, namespace)


def _is_chain(draft: Draft, layers: Sequence[Sequence[Box]]) -> bool:
    """Can `>>` say it? Not where a module stands twice in a list, nor between two lists at the start."""
    whole = all(
        {*draft.inputs(box)} == {before.key for before in earlier}
        for earlier, later in pairwise(layers)
        for box in later
    )
    single = all(len({box.module for box in layer}) == len(layer) for layer in layers)
    begins = len(layers[0]) == 1 or (len(layers) > 1 and len(layers[1]) == 1)
    return whole and single and begins


def _chain(layers: Sequence[Sequence[Box]], texts: Mapping[str, str]) -> str:
    steps = (", ".join(texts[box.key] for box in layer) for layer in layers)
    return " >> ".join(
        step if len(layer) == 1 else f"[{step}]" for step, layer in zip(steps, layers, strict=True)
    )


def _calls(
    draft: Draft, layers: Sequence[Sequence[Box]], texts: Mapping[str, str], namespace: Mapping[str, Any]
) -> list[str]:
    order = [box for layer in layers for box in layer]
    names: dict[str, str] = {}
    for box in order:
        names[box.key] = _unused(box.module, namespace, names.values())
    calls = {
        box.key: f"{texts[box.key]}({', '.join(names[key] for key in draft.inputs(box))})" for box in order
    }
    ends = [box for box in order if box.key not in {before for before, _ in draft.arrows}]
    lines = [f"{names[box.key]} = {calls[box.key]}" for box in order if box not in ends]
    if len(ends) == 1:
        return [*lines, calls[ends[0].key]]
    last = f"return [{', '.join(calls[box.key] for box in ends)}]"
    body = [f"        {line}" for line in [*lines, last]]
    return ["class BuiltSwarm(Swarm):", "    def execute(self):", *body]


def _unknown_nodes(draft: Draft, nodes: Collection[str]) -> list[str]:
    asked = [name.strip() for box in draft.boxes for name in box.nodes.split(",") if name.strip()]
    unknown = [name for name in dict.fromkeys(asked) if nodes and name not in nodes]
    return [
        one_line(
            f"no node {shorten(name, 40)}{did_you_mean(name, nodes)}; there are: {listed(list(nodes), 4)}"
        )
        for name in unknown
    ]


def _names(draft: Draft) -> list[str]:
    return [box.module for box in draft.boxes]


def _unused(stem: str, namespace: Mapping[str, Any], taken: Collection[str] = ()) -> str:
    """`stem_1`, `stem_2`, …: a name that is no variable of the notebook but of an earlier run of such a cell."""
    return next(
        name
        for name in map(f"{stem}_{{}}".format, count(1))
        if name not in taken and isinstance(namespace.get(name, None), TaskSpec | None)
    )


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text and text.isprintable() else repr(text)


def _tried(problems: list[str], read: Callable[[], Any]) -> Any:
    """What `read` returns; what it refuses becomes a problem, and None."""
    try:
        return read()
    except MantaError as error:
        problems.append(one_line(str(error)))
        return None
