"""What a module's text says it reads, writes and asks for, found without running it.

Only literal tags are seen (`results.add("params", …)`, or a name assigned once at the top of the file), so a
tag that is computed is not listed. `selects_all` is the safe side of that: it is False only where every
selection is certain to be known.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from manta_nb.sdk.names import listed
from manta_nb.sdk.package import Package, missing_files, parse_package
from manta_nb.sdk.parse import SourceFile, constants, in_order
from manta_nb.sdk.source import ModuleSource

__all__ = ["Usage", "scan"]

_SHARED = ("world", "results", "globals", "local")
_DATA_CALLS = ("get_numpy_data", "get_binary_data", "list_dir", "exists", "read_file_lines")
#: calls that can reach any attribute by a computed name
_BLIND_CALLS = frozenset(
    {"getattr", "vars", "eval", "exec", "attrgetter", "methodcaller", "__getattribute__"}
)


@dataclass(frozen=True)
class Usage:
    """What a module uses; tags and names in the order they first appear in its files."""

    #: Globals it reads
    reads: tuple[str, ...] = ()
    #: Globals it writes
    writes: tuple[str, ...] = ()
    #: tags of Results it selects
    selects: tuple[str, ...] = ()
    #: tags of Results it adds
    adds: tuple[str, ...] = ()
    #: datasets of the node it opens or asks for
    datasets: tuple[str, ...] = ()
    #: names of the metrics it records by `world.metric`
    metrics: tuple[str, ...] = ()
    #: aliases it schedules for the next iteration
    schedules: tuple[str, ...] = ()
    #: whether it may end the swarm
    stops: bool = False
    #: whether it may select a tag that is not in `selects`
    selects_all: bool = False
    #: whether it may write a Global or add a Result whose tag is not listed
    writes_all: bool = False
    #: one line for each relative import of a file that is not there
    missing: tuple[str, ...] = ()

    def summary(self) -> str:
        """`uses digits · reads global_model_params · adds model_params`; "" where it uses nothing."""
        parts = {
            "uses": self.datasets,
            "reads": self.reads,
            "selects": self.selects,
            "adds": self.adds,
            "writes": self.writes,
            "schedules": self.schedules,
        }
        texts = [f"{verb} {listed(names)}" for verb, names in parts.items() if names]
        return " · ".join([*texts, "may stop the swarm"] if self.stops else texts)


def scan(source: ModuleSource) -> Usage:
    """The `Usage` of a module, all its Python files taken together."""
    package = parse_package(source.name, source.files, source.origins)
    scans = [_FileScan(file) for file in package.files.values()]
    found: dict[str, dict[str, None]] = {}
    for each in scans:
        for kind, tag in each.found:
            found.setdefault(kind, {})[tag] = None
    tags: dict[str, tuple[str, ...]] = {
        kind: tuple(names) for kind, names in found.items() if kind not in _FLAGS
    }
    return Usage(
        **{kind: tags.get(kind, ()) for kind in _KINDS},
        stops="stops" in found,
        selects_all="selects_all" in found or _has_unknown_task(package),
        writes_all="writes_all" in found,
        missing=tuple(missing_files(package)),
    )


_FLAGS = ("stops", "selects_all", "writes_all")
_KINDS = ("reads", "writes", "selects", "adds", "datasets", "metrics", "schedules")


class _FileScan:
    """One pass over one file; `found` holds pairs such as `("adds", "model_params")`, flags with ""."""

    def __init__(self, file: SourceFile) -> None:
        self.found: list[tuple[str, str]] = []
        self._constants = constants(file.tree)
        self._parents = {child: node for node in ast.walk(file.tree) for child in ast.iter_child_nodes(node)}
        self._aliases = self._find_aliases(file.tree)
        for node in in_order(file.tree):
            match node:
                case ast.Call():
                    self._call(node)
                case ast.Subscript() if self._kind(node.value) == "globals":
                    self._subscript(node)
            if isinstance(node, ast.expr):
                self._escape(node)

    def _find_aliases(self, tree: ast.AST) -> dict[str, str]:
        """Local names of the shared objects: `results = self.world.results`."""
        found: dict[str, str] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=attr)) if (
                    attr in _SHARED
                ):
                    found[name] = attr
        return found

    def _kind(self, node: ast.expr) -> str:
        """Which shared object an expression is, by its last name; "" for anything else."""
        match node:
            case ast.Attribute(attr=attr) if attr in _SHARED:
                return str(attr)
            case ast.Name(id=name, ctx=ast.Load()):
                return self._aliases.get(name, "")
        return ""

    def _text(self, node: ast.expr | None) -> str | None:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self._constants.get(name)
        return None

    def _argument(self, call: ast.Call, position: int, *names: str) -> str | None:
        if len(call.args) > position and not any(
            isinstance(arg, ast.Starred) for arg in call.args[: position + 1]
        ):
            return self._text(call.args[position])
        return next((self._text(keyword.value) for keyword in call.keywords if keyword.arg in names), None)

    def _note(self, kind: str, tag: str | None, unknown: str = "") -> None:
        if tag is not None:
            self.found.append((kind, tag))
        elif unknown:
            self.found.append((unknown, ""))

    def _lost(self) -> None:
        self.found += [("selects_all", ""), ("writes_all", "")]

    def _call(self, call: ast.Call) -> None:
        if isinstance(call.func, ast.Name) and call.func.id in _BLIND_CALLS:
            self._blind(call)
        if not isinstance(call.func, ast.Attribute):
            return
        name, kind = call.func.attr.removeprefix("async_"), self._kind(call.func.value)
        if name == "select":
            self._note("selects", self._argument(call, 0, "tag"), "selects_all")
        elif name == "add" and kind == "results":
            self._note("adds", self._argument(call, 0, "tag"), "writes_all")
        elif name == "get" and kind == "globals":
            self._note("reads", self._argument(call, 0, "tag"))
        elif name == "metric" and kind == "world":
            self._note("metrics", self._argument(call, 0, "name"))
        elif name == "schedule_next_iter":
            self._note("schedules", self._argument(call, 1, "task_to_schedule_alias", "alias"))
        elif name in _DATA_CALLS and (kind == "local" or name.startswith("get_")):
            self._note("datasets", self._argument(call, 0, "name", "dataset_name", "directory", "file_name"))

    def _blind(self, call: ast.Call) -> None:
        """`getattr(self, name)` may reach the Results; `getattr(nn, name)` does not."""
        target = call.args[0] if call.args else None
        harmless = isinstance(target, ast.Name | ast.Attribute) and not self._kind(target)
        if harmless and isinstance(target, ast.Name) and target.id == "self":
            named = self._text(call.args[1]) if len(call.args) > 1 else None
            harmless = named is not None and named not in _SHARED
        if not harmless or call.func.id in ("eval", "exec"):  # type: ignore[attr-defined]
            self._lost()

    def _subscript(self, node: ast.Subscript) -> None:
        tag = self._text(node.slice)
        if isinstance(node.ctx, ast.Store):
            self._note("writes", tag, "writes_all")
        if not isinstance(node.ctx, ast.Store) or isinstance(self._parents.get(node), ast.AugAssign):
            self._note("reads", tag)

    def _escape(self, node: ast.expr) -> None:
        """Note where the Results could be reached in a way this scan does not see."""
        parent = self._parents.get(node)
        if isinstance(node, ast.Attribute) and node.attr in ("stop_swarm", "async_stop_swarm"):
            self.found.append(("stops", ""))
        if isinstance(node, ast.Attribute) and node.attr in ("select", "async_select"):
            if not (isinstance(parent, ast.Call) and parent.func is node):
                self._lost()
        elif self._kind(node) in ("world", "results"):
            stored = isinstance(getattr(node, "ctx", None), ast.Store)
            aliased = isinstance(parent, ast.Assign) and parent.value is node
            if not (stored or aliased or isinstance(parent, ast.Attribute)):
                self._lost()
        elif isinstance(node, ast.Name) and node.id == "self" and self._is_passed_on(node, parent):
            self._lost()

    def _is_passed_on(self, node: ast.Name, parent: ast.AST | None) -> bool:
        if isinstance(parent, ast.keyword):
            return True
        if not isinstance(parent, ast.Call) or node not in parent.args:
            return False
        return not (
            isinstance(parent.func, ast.Name)
            and parent.func.id in {"super", "isinstance", "type", *_BLIND_CALLS}
        )


def _has_unknown_task(package: Package) -> bool:
    """Whether code outside the package's own Task classes may use the Results."""
    own = [
        node
        for file in package.files.values()
        for node in file.classes.values()
        if package.is_task(file, node)
    ]
    others = [
        node
        for file in package.files.values()
        for node in file.classes.values()
        if not package.is_task(file, node)
    ]
    return not own or any(_mentions_world(node) for node in others)


def _mentions_world(node: ast.ClassDef) -> bool:
    return any(isinstance(item, ast.Attribute) and item.attr in _SHARED[:2] for item in ast.walk(node))
