"""What the body of a `%%swarm` cell comes to: the rules for its text, and the swarm its last value is."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from typing import Any

from manta_nb.errors import DefinitionError
from manta_nb.sdk.flow import Flow, TaskSpec
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.swarm import FlowSwarm, Swarm
from manta_nb.ui.cells import Cell

__all__ = ["check_body", "swarm_of"]

_END = "end it with a flow like worker >> aggregator"


def check_body(tree: ast.Module, cell: Cell, namespace: Mapping[str, Any]) -> None:
    """Refuse, before anything runs, a body that cannot end in a swarm.

    Raises:
        DefinitionError: nothing in it, an assignment at its end, a flow on two lines, an unknown module.
    """
    if not tree.body:
        raise DefinitionError(f"{cell.label}: there is nothing below the %%swarm line; {_END}")
    last = tree.body[-1]
    if isinstance(last, ast.Assign | ast.AnnAssign | ast.AugAssign):
        raise DefinitionError(f"{cell.place(last.lineno)}: the cell ends in an assignment; {_END}")
    flows = [item for item in tree.body if isinstance(item, ast.Expr) and _is_flow(item.value)]
    if len(flows) > 1:
        whole = _joined([item.value for item in flows])
        raise DefinitionError(
            one_line(
                f"{cell.place(flows[1].lineno)}: line {flows[1].lineno} is not part of the flow; write {whole}"
            )
        )
    if flows and flows[0] is not last:
        raise DefinitionError(
            one_line(
                f"{cell.place(flows[0].lineno)}: the flow {shorten(ast.unparse(flows[0]), 60)} is not the last line "
                "of the cell: move it to the end"
            )
        )
    if flows:
        _check_names(flows[0].value, tree, cell, namespace)


def swarm_of(
    value: object, name: str, first: Mapping[str, Any], tree: ast.Module, cell: Cell, after: Mapping[str, Any]
) -> Swarm:
    """The swarm of a body that has run.

    Args:
        value: of its last expression; None where it ended in something else.
        name: of the run.
        first: what `set_global` was called with.
        tree: the body's syntax tree.
        cell: the cell, for errors.
        after: the namespace after the body ran.

    Raises:
        DefinitionError: it is neither a flow, nor a Swarm, nor is there one Swarm class in the cell.
    """
    if isinstance(value, Flow | TaskSpec | Module):
        return FlowSwarm(name, value, first)
    if isinstance(value, type) and issubclass(value, Swarm):
        value = value()
    if not isinstance(value, Swarm):
        value = _only_class(value, tree, cell, after)()
    value.name = name
    for tag, item in first.items():
        value.set_global(tag, item)
    return value


def _only_class(value: object, tree: ast.Module, cell: Cell, after: Mapping[str, Any]) -> type[Swarm]:
    classes = [
        after[node.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and isinstance(after.get(node.name), type)
    ]
    swarms = [kind for kind in classes if issubclass(kind, Swarm)]
    found = [
        kind for kind in swarms if not any(kind is not other and issubclass(other, kind) for other in swarms)
    ]
    if len(found) == 1:
        return found[0]  # type: ignore[no-any-return]
    if found:
        names = listed([kind.__name__ for kind in found])
        raise DefinitionError(
            one_line(
                f"{cell.label} defines {len(found)} swarms, {names}: end it with one, such as {found[-1].__name__}()"
            )
        )
    line = tree.body[-1].end_lineno or tree.body[-1].lineno
    what = (
        f"in {shorten(repr(value), 50)} ({type(value).__name__})"
        if value is not None
        else "without a flow or a Swarm"
    )
    raise DefinitionError(one_line(f"{cell.place(line)}: the cell ends {what}; {_END}"))


def _is_flow(node: ast.expr) -> bool:
    """`a >> b`, where there is a name in it: `1 >> 2` is arithmetic."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.RShift)
        and any(isinstance(part, ast.Name) for part in ast.walk(node))
    )


def _steps(node: ast.expr) -> Iterator[str]:
    """The texts between the arrows of `a >> b >> c`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
        yield from _steps(node.left)
        yield from _steps(node.right)
    else:
        yield ast.unparse(node)


def _joined(flows: list[ast.expr]) -> str:
    """`a >> b` and `b >> c` as the one flow that was meant."""
    steps: list[str] = []
    for flow in flows:
        more = list(_steps(flow))
        steps += more[1:] if steps and steps[-1] == more[0] else more
    return shorten(" >> ".join(steps), 120)


def _check_names(flow: ast.expr, tree: ast.Module, cell: Cell, namespace: Mapping[str, Any]) -> None:
    bound = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    bound |= {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(flow):
        if (
            not isinstance(node, ast.Name)
            or node.id in bound
            or node.id in namespace
            or hasattr(builtins, node.id)
        ):
            continue
        modules = [name for name, value in namespace.items() if isinstance(value, Module)]
        hint = did_you_mean(node.id, modules)
        raise DefinitionError(
            one_line(
                f"{cell.place(node.lineno)}: no module {shorten(node.id, 40)!r}{hint}: "
                f"define it in a cell that begins with %%module {shorten(node.id, 40)}"
            )
        )
