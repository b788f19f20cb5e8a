"""`ProcessLook`: the nodes of a session from outside, and what their workers take of the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import psutil

from manta_nb.errors import MantaError
from manta_nb.runtime.capabilities import HostTag, host_tag
from manta_nb.session.feed.look import NodeLook

__all__ = ["ProcessLook"]

#: seconds between two samples, and how many times longer than a sample takes, so that it costs 1 % at most
_PAUSE, _RATIO = 1.0, 100.0
#: levels of children below a worker: the template, its children, and what these start
_LEVELS = 4


class _Node(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def worker(self) -> str: ...
    @property
    def pid(self) -> int: ...


class _Record(Protocol):
    @property
    def datasets(self) -> Mapping[str, Any]: ...


class _Session(Protocol):
    @property
    def nodes(self) -> Mapping[str, Any]: ...
    def record(self, node_id: str) -> Any: ...


class ProcessLook:
    """Samples the workers of a session with their children; see `Look`.

    A task runs in a child of its worker, which may be forked from a template: all of them count. Nodes that
    share a worker show the same numbers. A worker that was killed just has none.

    Args:
        session: whose nodes are looked at.
        clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(self, session: _Session, clock: Callable[[], float] = time.monotonic) -> None:
        self.nodes: Mapping[str, NodeLook] = {}
        self._session = session
        self._clock = clock
        self._next = -float("inf")
        self._is_here = _is_here(session)
        self._data: dict[str, int | None] = {}
        self._processes: dict[int, psutil.Process] = {}
        #: pid → when it was started, and the seconds of processor time it had used
        self._used: dict[int, tuple[float, float]] = {}
        self._sampled = 0.0

    def sample(self) -> None:
        """See `Look.sample`."""
        began = self._clock()
        if began < self._next:
            return
        self._next = began + _PAUSE
        table: Mapping[str, _Node] = self._session.nodes
        pids = {
            node.pid
            for node_id, node in table.items()
            if node.pid and node.state != "closed" and self._is_here(node_id)
        }
        taken = self._measure(pids, began)
        self.nodes = {
            node_id: NodeLook(
                node.state, node.worker, node.pid, self._bytes_of(node_id), *taken.get(node.pid, (None, None))
            )
            for node_id, node in table.items()
        }
        self._next = began + max(_PAUSE, _RATIO * (self._clock() - began))

    def _measure(self, pids: set[int], now: float) -> dict[int, tuple[float | None, int]]:
        """Worker → per cent of a core since the last time (None: first time), and bytes of memory."""
        passed, self._sampled = now - self._sampled, now
        before, self._used = self._used, {}
        children = _children()
        taken: dict[int, tuple[float | None, int]] = {}
        for pid in pids:
            seconds, memory, met = 0.0, 0, False
            for member in _family(pid, children):
                seen = self._look_at(member)
                if seen is None:
                    continue
                met = True
                started, used, rss = seen
                memory += rss
                known = before.get(member)
                self._used[member] = (started, used)
                # what a process used before it was seen first, it used since the last time
                seconds += used - (known[1] if known is not None and known[0] == started else 0.0)
            if met:
                per_cent = (
                    round(100 * max(0.0, seconds) / passed, 1) if pid in before and passed > 0 else None
                )
                taken[pid] = (per_cent, memory)
        self._processes = {pid: self._processes[pid] for pid in self._used if pid in self._processes}
        return taken

    def _look_at(self, pid: int) -> tuple[float, float, int] | None:
        """When a process was started, its processor seconds and its memory; None where it is gone."""
        try:
            process = self._processes.get(pid)
            if process is None:
                process = self._processes[pid] = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                return process.create_time(), times.user + times.system, process.memory_info().rss
        except (psutil.Error, OSError):
            self._processes.pop(pid, None)
            return None

    def _bytes_of(self, node_id: str) -> int | None:
        """Bytes of a node's datasets, which do not change."""
        if node_id not in self._data:
            try:
                datasets = self._session.record(node_id).datasets.values()
                self._data[node_id] = sum(map(_dataset_bytes, datasets))
            except (MantaError, OSError, AttributeError):
                self._data[node_id] = None
        return self._data[node_id]


def _family(pid: int, children: Mapping[int, list[int]] | None) -> list[int]:
    """A process and all that descend from it."""
    found, level = [pid], [pid]
    for _ in range(_LEVELS):
        level = [child for parent in level for child in _children_of(parent, children)]
        found += level
    return list(dict.fromkeys(found))


def _children_of(pid: int, children: Mapping[int, list[int]] | None) -> list[int]:
    if children is not None:
        return children.get(pid, [])
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return found
    return found


def _children() -> dict[int, list[int]] | None:
    """Process → its children, of the whole machine; None where Linux tells them process by process."""
    if Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        return None
    found: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"], []).append(process.pid)
    return found


def _is_here(session: object) -> Callable[[str], bool]:
    """Whether a node is hosted on this machine: else its process id means another process here."""
    fleet, own = getattr(session, "_fleet", None), host_tag(True)
    if fleet is None:
        return lambda node_id: True

    def is_here(node_id: str) -> bool:
        tag: HostTag = fleet.host_of(node_id).tag
        return (tag.boot, tag.namespace) == (own.boot, own.namespace)

    return is_here


def _dataset_bytes(dataset: Any) -> int:
    paths = [dataset.path] if dataset.path is not None else list(dataset.arrays.values())
    return sum(map(_size, paths))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(_size(entry) for entry in path.iterdir())
    return path.stat().st_size
