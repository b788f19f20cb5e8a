"""`Workplace`: what one worker process has, to run batches for the nodes it hosts. Knows nothing of Dask."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manta_nb.runtime.capabilities import Start, host_tag
from manta_nb.runtime.runners.launch import (
    ChildProcess,
    InlineLauncher,
    Launcher,
    Settings,
    SpawnLauncher,
    TemplateLauncher,
)
from manta_nb.runtime.runners.request import BatchRequest, load_nodes
from manta_nb.runtime.runners.segments import SegmentReader
from manta_nb.runtime.runners.storage import Shelf
from manta_nb.runtime.runners.supervisor import Emit, Supervisor
from manta_nb.runtime.runners.template import start_by_exec, start_by_fork

__all__ = ["Refused", "WorkerSetup", "Workplace"]

#: seconds that batches under way get to end when the worker does
CLOSING = 2


#: what names a batch: run, iteration, task, attempt, nodes
Fence = tuple[str, int, str, int, tuple[str, ...]]


class Refused(Exception):
    """A batch that must not run here."""


@dataclass(frozen=True)
class WorkerSetup:
    """What the session decided for one worker; lies as a file in the session's folder."""

    worker_id: str
    #: file with the table of its nodes (see `save_nodes`)
    nodes: str
    threads: int
    memory: int | None
    path: tuple[str, ...]
    start: Start
    shared_values: bool

    def save(self, path: Path) -> None:
        """Write it for the worker."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> WorkerSetup:
        """The inverse of `save`."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


class Workplace:
    """Children, segments and fences of one worker. Made when the worker starts; lives as long as it."""

    def __init__(self, setup: WorkerSetup) -> None:
        self.setup = setup
        self.shelf = Shelf()
        self._launcher = _launcher(setup)
        self._settings = Settings(setup.nodes, setup.threads, setup.memory, list(setup.path))
        self._nodes = frozenset(load_nodes(Path(setup.nodes)))
        self._children: dict[str, ChildProcess] = {}
        self._stopping: set[str] = set()
        #: runs that have ended: a batch of theirs that comes late must not start
        self._over: set[str] = set()
        #: batches under way
        self._busy: Counter[str] = Counter()
        self._idle = threading.Condition()
        self._lock = threading.Lock()
        self._started: set[Fence] = set()
        #: batches that nobody waits for any more, begun or not
        self._released: set[Fence] = set()

    def describe(self) -> dict[str, Any]:
        """Who this is, for the kernel."""
        tag = host_tag(self.setup.shared_values and self._launcher.shares_memory)
        return {"worker_id": self.setup.worker_id, "pid": os.getpid(), "host": tag.to_dict()}

    def execute(self, request: BatchRequest, arrays: tuple[Any, ...], emit: Emit) -> dict[str, Any]:
        """Run a batch; returns its outcome as a message of texts and bytes."""
        self._admit(request)
        try:
            return self._run(request, arrays, emit)
        finally:
            self._leave(request.run_id)

    def _run(self, request: BatchRequest, arrays: tuple[Any, ...], emit: Emit) -> dict[str, Any]:
        self.shelf.release(request.release)
        self.shelf.reuse(request.reuse, self._over)
        for key, array in zip(request.imports, arrays, strict=True):
            # None: its holder does not have it any more, and the task that asks for it is told
            if array is not None:
                self.shelf.imported[key] = memoryview(array)
        shared = self.setup.shared_values and self._launcher.shares_memory
        label = (request.run_id, request.task)
        segment = self.shelf.draft(shared, label)
        imports = {key: data for key in request.needs if (data := self.shelf.bytes_of(key)) is not None}
        try:
            outcome = Supervisor(request, self, segment, imports, emit).run()
        except BaseException:
            segment.close()
            raise
        if outcome.empty:
            # nobody would ever ask for it, nor say that it can go
            segment.close()
        else:
            self.shelf.keep(segment, label)
        return outcome.message()

    def _admit(self, request: BatchRequest) -> None:
        """User code of a node runs only where that node lives, and each attempt at most once."""
        strangers = [node_id for node_id in request.node_ids if node_id not in self._nodes]
        if strangers:
            raise Refused(f"{strangers[0]} is not hosted by {self.setup.worker_id}")
        run_id, oldest = request.run_id, request.iteration - 1
        fence = _fence(request)
        with self._lock:
            if fence in self._released:
                raise Refused(f"nobody waits for attempt {request.attempt} of {request.task} any more")
            if run_id in self._over:
                raise Refused(f"the run of {request.task} is over")
            if fence in self._started:
                raise Refused(f"attempt {request.attempt} of {request.task} was started here before")
            for fences in (self._started, self._released):
                fences -= {old for old in fences if old[0] == run_id and old[1] < oldest}
            self._started.add(fence)
            self._busy[run_id] += 1

    def _leave(self, run_id: str) -> None:
        """A batch has ended; if its run has ended in the meantime, tidy up after it."""
        with self._lock:
            self._busy[run_id] -= 1
            last = not self._busy[run_id] and run_id in self._over
        if last:
            self._tidy(run_id)
        with self._idle:
            self._idle.notify_all()

    def export(self, key: str, copy: str, tags: tuple[str, ...] | None) -> memoryview | None:
        """The bytes of a segment for a reader elsewhere, whole or as a copy of some tags; None where it is gone."""
        segment = self.shelf.get(key)
        if segment is None:
            return None
        data = segment.read()
        return data if tags is None else memoryview(SegmentReader(key, data).extract(copy, tags))

    def child(self, run_id: str, fresh: bool) -> ChildProcess:
        """The child kept for the run, or a new one."""
        if fresh and run_id in self._children:
            self.discard(run_id)
        with self._lock:
            if run_id not in self._children:
                self._children[run_id] = self._launcher.start(self._settings)
            return self._children[run_id]

    def discard(self, run_id: str, kill: bool = False) -> int:
        """End the run's child, at once or once it sees that its channel is closed; returns how it ended."""
        with self._lock:
            child = self._children.pop(run_id, None)
        if child is None:
            return 0
        if kill:
            child.kill()
        return child.end()

    def stopping(self, run_id: str) -> bool:
        """Whether the run is being stopped."""
        return run_id in self._stopping

    def released(self, request: BatchRequest) -> bool:
        """Whether nobody waits for this batch any more."""
        return bool(self._released) and _fence(request) in self._released

    def release(self, batches: Iterable[Fence]) -> None:
        """Let the turns of these batches know that nobody waits for them; those not begun are refused."""
        with self._lock:
            self._released.update(fence for fence in batches if fence[0] not in self._over)

    def stop(self, run_id: str) -> None:
        """Stop what the run does here, whatever its code does; may be called from any thread."""
        with self._lock:
            self._stopping.add(run_id)
            child = self._children.get(run_id)
        if child is not None:
            child.kill()

    def forget(self, run_id: str, keys: tuple[str, ...]) -> None:
        """The run is over: give up what it still does, end its child, free its segments."""
        with self._lock:
            self._over.add(run_id)
            busy = self._busy[run_id] > 0
        if busy:
            # whoever runs the batch has the child in use, and tidies up
            self.stop(run_id)
        else:
            self._tidy(run_id)
        self.shelf.release(keys)
        self.shelf.trim(run_id)

    def _tidy(self, run_id: str) -> None:
        self.discard(run_id)
        with self._lock:
            self._stopping.discard(run_id)
            self._busy.pop(run_id, None)
            for fences in (self._started, self._released):
                fences -= {old for old in fences if old[0] == run_id}

    def close(self) -> None:
        """End everything, batches under way first."""
        for run_id in list(self._children):
            self.forget(run_id, ())
        with self._idle:
            self._idle.wait_for(lambda: not any(self._busy.values()), timeout=CLOSING)
        self._launcher.close()
        self.shelf.close()


def _fence(request: BatchRequest) -> Fence:
    return request.run_id, request.iteration, request.task, request.attempt, request.node_ids


def _launcher(setup: WorkerSetup) -> Launcher:
    makers: Mapping[str, Callable[[], Launcher]] = {
        "fork": lambda: TemplateLauncher(start_by_fork(), setup.shared_values),
        "exec": lambda: TemplateLauncher(start_by_exec(), setup.shared_values),
        "spawn": SpawnLauncher,
        "inline": InlineLauncher,
    }
    return makers[setup.start]()
