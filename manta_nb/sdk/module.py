"""`Module`: code that runs on nodes, and on which of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, cast

from manta_nb import render
from manta_nb.errors import DefinitionError
from manta_nb.sdk.flow import Chain, TaskSpec, ends_of
from manta_nb.sdk.options import Options
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.scan import Usage, scan
from manta_nb.sdk.source import ModuleSource, module_base, read_source, source_from_text

__all__ = ["Module"]


class Module(Chain):
    """A Python file or folder that runs on nodes, with its placement and what happens when it fails.

    Calling it inside `Swarm.execute` makes it a task of the swarm; `worker >> aggregator` says the same.
    A module does not change: `with_options` returns another one.

    Args:
        python_program: a file or folder, tried from the working directory, then from the swarm file's folder.
        image: container image it runs in, where containers are used.
        method: "any": up to `maximum` of the eligible nodes, one where that is not given; "all": every one.
        fixed: keep the nodes of the first iteration.
        excepted_ids: nodes it must not run on.
        specified_ids: the only nodes it may run on.
        maximum: number of nodes, or a fraction of the eligible ones, rounded up; -1 for no limit.
        alias: name of its task in the graph, for `schedule_next_iter`; by default its name.
        network_name: accepted for old programs; without effect.
        gpu: accepted for old programs; without effect.
        name: what it is called; by default the name of the file or folder.
        datasets: a node is eligible if it holds all of these.
        min_nodes: how many nodes must succeed for the iteration to go on; None: all of them.
        retries: how often a node's failed turn is tried again.
        timeout: seconds a node's turn may take; None: no limit.
        isolate: a process of its own for every node.
        on_nan: "warn" or "refuse" when an array it adds holds NaN or inf.
        keep_results: how many iterations its results stay readable, or "all"; None: as the run says.

    Raises:
        DefinitionError: an option or the code could not work as it is.

    Example:
        >>> worker = Module("modules/worker", method="all", datasets=["digits"])
    """

    source: ModuleSource
    options: Options
    #: what its text reads, writes and asks for
    usage: Usage
    name: str
    alias: str
    image: str | None
    method: Literal["any", "all"]
    maximum: float | None
    fixed: bool
    #: None: no restriction
    specified_ids: tuple[str, ...] | None
    excepted_ids: tuple[str, ...]
    datasets: tuple[str, ...]
    min_nodes: int | None
    retries: int
    timeout: float | None
    isolate: bool
    on_nan: Literal["warn", "refuse"]
    keep_results: int | Literal["all"] | None
    #: how often its cells were changed, for display; None for a module from files
    revision: int | None

    def __init__(
        self,
        python_program: str | os.PathLike[str],
        image: str | None = None,
        method: str = "any",
        fixed: bool = False,
        excepted_ids: Iterable[str] | None = None,
        specified_ids: Iterable[str] | None = None,
        maximum: float | None = None,
        alias: str | None = None,
        network_name: str | None = None,
        gpu: bool = False,
        *,
        name: str | None = None,
        datasets: Iterable[str] | None = None,
        min_nodes: int | None = None,
        retries: int = 0,
        timeout: float | None = None,
        isolate: bool = False,
        on_nan: str = "warn",
        keep_results: int | str | None = None,
    ) -> None:
        given = {
            key: value
            for key, value in locals().items()
            if key not in ("self", "python_program", "__class__")
        }
        options = Options.checked(given)
        if not isinstance(python_program, str | os.PathLike):
            kind = type(python_program).__name__
            raise DefinitionError(f"a Module is made of the path of a file or folder, got a {kind}")
        self._define(read_source(python_program, module_base.get(), options.name), options)

    @classmethod
    def from_source(
        cls,
        text: str,
        *,
        name: str,
        files: Mapping[str, str] | None = None,
        origins: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Self:
        """A module made of texts, as `%%module` makes it.

        Args:
            text: the main file.
            name: name of the module and of its package, an identifier.
            files: further files of the package, such as `{"model.py": "…"}`.
            origins: file → what a traceback shows; the main file is `manta_nb.sdk.source.MAIN`.
            options: as for `Module(…)`, and `revision`.

        Example:
            >>> Module.from_source("def main():\\n    print('hello')", name="hello", method="all")
        """
        return cls.of(source_from_text(text, name, files, origins), **options)

    @classmethod
    def of(cls, source: ModuleSource, **options: Any) -> Self:
        """A module of a source that is already read; the options are those of `Module(…)`, and `revision`."""
        module = cls.__new__(cls)
        module._define(source, Options.checked(options))
        return module

    def with_options(self, **changes: Any) -> Self:
        """The same code with other options: `worker.with_options(maximum=3)`."""
        return self.of(self.source, **{**vars(self.options), **changes})

    def _define(self, source: ModuleSource, options: Options) -> None:
        # __setattr__ refuses: a module does not change once it is made.
        self.__dict__.update(vars(options), source=source, usage=scan(source), options=options)
        self.__dict__["name"] = options.name or source.name
        self.__dict__["alias"] = options.alias or self.name
        self.__dict__["_start"] = TaskSpec(self)

    def __setattr__(self, name: str, value: object) -> None:
        raise DefinitionError(
            one_line(f"a Module does not change: write {self.alias} = {self.alias}.with_options({name}=…)")
        )

    def __call__(self, *inputs: object) -> TaskSpec:
        """A task of this module that runs after `inputs`: calls of modules, or lists of them."""
        return TaskSpec(self, ends_of(list(inputs)) if inputs else ())

    def ends(self) -> tuple[TaskSpec, ...]:
        """Its call without inputs; the same one each time, so that `a >> b` and `a >> c` share `a`."""
        return (cast(TaskSpec, self.__dict__["_start"]),)

    def try_on(self, node_id: str, globals: Mapping[str, Any] | None = None) -> Any:
        """Run this module once, on one node, now, and show what it read, added, logged and cost.

        Args:
            node_id: the node; its data are there.
            globals: the Globals it can read.

        Example:
            >>> worker.try_on("node_0", globals={"lr": 0.1})

        Raises:
            Whatever the code raised, with its own frames: `%debug` works.
        """
        __tracebackhide__ = True
        trial = self.__dict__.get("trial")
        if trial is None:
            raise DefinitionError(
                f"{self.alias} was not defined in a cell, so it knows no nodes: "
                f"session.try_on({self.alias}, {node_id!r})"
            )
        return trial(self, node_id, globals)

    @property
    def where(self) -> str:
        """Where its code comes from: "Cell In[3]" or "modules/worker.py"."""
        return self.source.origins.get(self.source.entry_file or self.source.main, self.source.name)

    def placement(self) -> str:
        """Which nodes it runs on, in words: "every node with digits", "up to 4 nodes", "one node"."""
        words = self.options.placement()
        return f"{words} with data" if words == "every node" and self.usage.datasets else words

    def _parts(self) -> list[str]:
        if not self.source.entry:
            return [self.source.summary(), "no task yet"]
        return [part for part in (self.source.summary(), self.placement(), self.usage.summary()) if part]

    def __repr__(self) -> str:
        return " · ".join([self._title(), *self._parts()])

    def _title(self) -> str:
        return f"{self.alias} v{self.revision}" if self.revision is not None else self.alias

    def _repr_html_(self) -> str:
        sources = [
            (self.source.origins[path], self.source.files[path].strip("\n")) for path in self.source.files
        ]
        return render.Card(self._title(), [" · ".join(self._parts())], details=sources)._repr_html_()
