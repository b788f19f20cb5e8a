"""A workplace to run batches on without Dask, and what came of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Batch, Failure, state_version
from manta_nb.engine.results import ResultIndex
from manta_nb.runtime.capabilities import Start, host_tag
from manta_nb.runtime.decoding import Told, outcome_to_batch
from manta_nb.runtime.runners.request import BatchRequest, NodeRecord, Policy, SharedRequest, save_nodes
from manta_nb.runtime.runners.segments import Place, SegmentReader
from manta_nb.runtime.workplace import WorkerSetup, Workplace
from manta_nb.sdk.source import ModuleSource, source_from_text
from manta_nb.shims import shim_folder

__all__ = ["Played", "Site", "indented", "task"]

HEAD = "from manta_light.task import Task\nimport numpy as np\n\nclass T(Task):\n    def run(self):\n"


def task(body: str, name: str = "t", files: Mapping[str, str] | None = None) -> ModuleSource:
    """A module whose task's `run` has this body; `w` is its world."""
    text = HEAD + indent("w = self.world\n" + body, " " * 8)
    return source_from_text(text, name, files, {"__init__.py": "Cell In[7]"})


def indented(text: str) -> str:
    """One level deeper."""
    return indent(text, " " * 4)


@dataclass
class Played:
    """One batch that was run: what the kernel would be told, and where its values lie."""

    told: Told
    request: BatchRequest
    #: streamed lines as (node id, …): `("l", node id, level, text)` and `("m", node id, name, value, step)`
    lines: list[tuple[Any, ...]]
    reader: SegmentReader | None

    @property
    def batch(self) -> Batch:
        """What the engine sees."""
        return self.told.batch

    def results(self, tag: str) -> dict[str, Any]:
        """`{node_id: value}` of the nodes that count."""
        found: dict[str, Any] = {}
        if self.reader is not None:
            self.reader.select(tag, found, self.reader.private())
        return {node: value for node, value in found.items() if node in self.batch.nodes}

    def globals(self) -> dict[str, Any]:
        """Tag → value that was written."""
        refs = {tag: ref for tag, (_, ref) in self.batch.globals.items()}
        assert self.reader is not None or not refs
        return {tag: self.reader.value(ref.offset, ref.nbytes) for tag, ref in refs.items()}  # type: ignore[union-attr]

    def failure(self, node_id: str = "a") -> Failure:
        """Why that node failed."""
        [failure] = [failure for failure in self.batch.failures if failure.node_id == node_id]
        return failure

    def texts(self, level: str = "stdout", node_id: str | None = None) -> list[str]:
        """The lines of a level."""
        return [
            line[3]
            for line in self.lines
            if line[0] == "l" and line[2] == level and node_id in (None, line[1])
        ]

    def metrics(self) -> list[tuple[Any, ...]]:
        """(node id, name, value, step)."""
        return [line[1:] for line in self.lines if line[0] == "m"]


@dataclass
class Site:
    """One worker's place with nodes a, b and c (or others), on which a test plays batches."""

    workplace: Workplace
    node_ids: tuple[str, ...]
    start: Start
    shared: bool
    folder: Path
    #: iterations are fences: each batch of a site has its own
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        start: Start,
        shared: bool,
        *,
        node_ids: Sequence[str] = ("a", "b", "c"),
        memory: int | None = None,
        threads: int = 1,
    ) -> Iterator[Site]:
        """A site that is closed afterwards."""
        for node_id in node_ids:
            (folder / node_id).mkdir(parents=True)
        table = folder / "nodes.json"
        save_nodes(table, {node_id: NodeRecord(folder / node_id, {}) for node_id in node_ids})
        setup = WorkerSetup("w0", str(table), threads, memory, (str(shim_folder()),), start, shared)
        workplace = Workplace(setup)
        try:
            yield cls(workplace, tuple(node_ids), start, shared, folder)
        finally:
            workplace.close()

    @property
    def kills(self) -> bool:
        """Whether its children can be killed."""
        return self.start != "inline"

    def play(
        self,
        what: str | ModuleSource,
        *,
        nodes: Sequence[str] | None = None,
        run_id: str = "run",
        iteration: int | None = None,
        attempt: int = 0,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        after: Sequence[Played] = (),
        states: Mapping[str, str] | None = None,
        aliases: Sequence[str] = ("t",),
        seed: int = 0,
        hear: Callable[[list[list[Any]]], None] = lambda lines: None,
    ) -> Played:
        """Run one batch; `after` are batches whose Globals and results it may read."""
        source = task(what) if isinstance(what, str) else what
        iteration = next(self.numbers) if iteration is None else iteration
        names = tuple(self.node_ids if nodes is None else nodes)
        shared = SharedRequest(
            run_id=run_id,
            iteration=iteration,
            task="t",
            attempt=attempt,
            seed=seed,
            source=source,
            policy=policy,
            aliases=tuple(aliases),
            known_nodes=self.node_ids,
            **self._read(after),
        )
        request = BatchRequest(
            shared=shared.to_json(),
            run_id=run_id,
            iteration=iteration,
            task="t",
            attempt=attempt,
            policy=policy,
            node_ids=names,
            states=dict(states or {}),
            needs=tuple(place.key for place in shared.segments if not place.pid),
        )
        return self.execute(request, hear)

    def execute(
        self, request: BatchRequest, hear: Callable[[list[list[Any]]], None] = lambda lines: None
    ) -> Played:
        """Run a request as it is."""
        lines: list[list[Any]] = []

        def emit(bundle: list[list[Any]]) -> None:
            lines.extend(bundle)
            hear(bundle)

        message = self.workplace.execute(request, (), emit)
        run = RunTask(
            request.iteration, request.task, request.attempt, request.node_ids, {}, ResultIndex(), {}
        )
        told = outcome_to_batch(message, run, request.node_ids, "w0")
        named = [(line[0], request.node_ids[line[1]], *line[2:]) for line in lines]
        return Played(told, request, named, self._reader(told.place))

    def _reader(self, place: Place | None) -> SegmentReader | None:
        if place is None:
            return None
        segment = self.workplace.shelf.get(place.key)
        assert segment is not None
        return SegmentReader(place.key, bytes(segment.read()))

    def _read(self, after: Sequence[Played]) -> dict[str, Any]:
        places = [played.told.place for played in after if played.told.place is not None]
        numbers = {place.key: number for number, place in enumerate(places)}
        globals_: dict[str, tuple[int, int, int]] = {}
        results = []
        for played in after:
            if played.told.place is None:
                continue
            number = numbers[played.told.place.key]
            for tag, (_, ref) in played.batch.globals.items():
                globals_[tag] = number, ref.offset, ref.nbytes
            results.append((played.batch.iteration, number, tuple(played.batch.result_bytes)))
        return {"segments": tuple(places), "globals": globals_, "results": tuple(results)}

    def in_background(self, *args: Any, **options: Any) -> tuple[threading.Thread, list[Played]]:
        """Play on another thread; the list holds what came of it once the thread has ended."""
        ended: list[Played] = []
        thread = threading.Thread(target=lambda: ended.append(self.play(*args, **options)))
        thread.start()
        return thread, ended

    def put(self, **values: Any) -> Played:
        """A batch that wrote these Globals."""
        source = "\n".join(f"w.globals[{tag!r}] = {_source(value)}" for tag, value in values.items())
        return self.play(source, nodes=self.node_ids[:1])

    @staticmethod
    def version(played: Played) -> str:
        """The version of the state a batch left."""
        return state_version(played.batch.iteration, "t", played.batch.attempt)

    @property
    def tag_is_shared(self) -> bool:
        """Whether values lie in memory that other processes can open."""
        return bool(self.workplace.describe()["host"] == host_tag(True).to_dict())


def _source(value: Any) -> str:
    return f"np.array({value.tolist()!r})" if isinstance(value, np.ndarray) else repr(value)
