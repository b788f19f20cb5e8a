"""`Node`: one node of a session, and what a person can do to it to see how a swarm takes it."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manta_nb.engine.events import Noted
from manta_nb.engine.records import Event
from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import NodeError, UsageError
from manta_nb.render import Card
from manta_nb.runtime.cluster import RETURN_DEADLINE

if TYPE_CHECKING:
    from manta_nb.runtime.courier import Host
    from manta_nb.session.run import Run
    from manta_nb.session.starting import Started

__all__ = ["Node", "NodeActions"]

#: the longest that a node can be frozen, in seconds, and the most that it can be slowed down
MOST_SECONDS, MOST_FACTOR = 600, 1000


@dataclass(frozen=True)
class Node:
    """One node as it is now; its methods return at once (`restart` excepted), from any thread.

    Example:
        >>> session.nodes["node_3"].kill()        # its turn is done again when it is back
        >>> session.nodes["node_3"].slow(5)       # its tasks take five times as long
    """

    node_id: str
    #: "idle", "busy", "frozen", "lost" or "closed"
    state: str
    #: the worker process that hosts it
    worker: str
    pid: int
    datasets: tuple[str, ...]
    #: how many times as long its tasks take; see `slow`
    factor: float = 1.0
    _actions: NodeActions | None = field(default=None, repr=False, compare=False)

    def kill(self) -> Card:
        """End the process that hosts it, at once (SIGKILL); it is started again, and what it owed is done again.

        Other nodes of that process go with it: they are named.
        """
        return self._able().kill(self.node_id)

    def freeze(self, seconds: float) -> Card:
        """Let the process that hosts it, and its tasks, stand still for so many seconds, 600 at the most.

        One that is silent for more than half a minute is taken for dead, and is started again.
        """
        return self._able().freeze(self.node_id, seconds)

    def slow(self, factor: float) -> Card:
        """Let its tasks take `factor` times as long, from the next one on; 1 is normal again."""
        return self._able().slow(self.node_id, factor)

    def restart(self, timeout: float = RETURN_DEADLINE) -> Card:
        """End the process that hosts it, and wait until it is back; a `NodeError` after `timeout` seconds."""
        return self._able().restart(self.node_id, timeout)

    def _able(self) -> NodeActions:
        if self._actions is None:
            raise NodeError(f"{self.node_id} is a description only: take it from session.nodes")
        return self._actions


class NodeActions:
    """What a person does to the nodes of one session.

    Args:
        started: the nodes.
        check_open: raises where the session is closed.
        active: the runs that go on; each gets an event.
    """

    def __init__(
        self, started: Started, check_open: Callable[[], None], active: Callable[[], Iterable[Run]]
    ) -> None:
        self.freezer = started.freezer
        self._started = started
        self._fleet = started.fleet
        self._check_open = check_open
        self._active = active

    def kill(self, node_id: str) -> Card:
        """See `Node.kill`."""
        host, pid = self._process(node_id, "kill")
        self._end(pid)
        return self._told("kill", host, node_id, f"killed process {pid} of {_who(host, node_id)}")

    def freeze(self, node_id: str, seconds: float) -> Card:
        """See `Node.freeze`."""
        limit = _checked(seconds, "freeze", 0, MOST_SECONDS, "seconds")
        host, pid = self._process(node_id, "freeze")
        self.freezer.freeze(pid, limit)
        return self._told("freeze", host, node_id, f"froze {_who(host, node_id)} for {limit:g} s")

    def slow(self, node_id: str, factor: float) -> Card:
        """See `Node.slow`."""
        self._check_open()
        pace = _checked(factor, "slow", 1, MOST_FACTOR, "a factor")
        host = self._fleet.host_of(node_id)
        if pace == 1:
            self._fleet.paces.pop(node_id, None)
            text = f"{node_id} is as fast as ever again, from its next task on"
        else:
            self._fleet.paces[node_id] = pace
            text = f"{node_id} is slowed down: its tasks take {pace:g} times as long, from the next one on"
        return self._told("slow", host, node_id, text)

    def restart(self, node_id: str, timeout: float) -> Card:
        """See `Node.restart`."""
        host, pid = self._process(node_id, "restart", away=True)
        back, name = _Back(host.worker_id), f"back-{node_id}-{threading.get_ident()}"
        self._fleet.listen(name, back)
        try:
            if pid:
                self._end(pid)
            # one that was away may have come back since somebody looked
            there = not pid and host.alive and self._pid(host)
            if not there and not back.event.wait(timeout):
                raise NodeError(
                    f"{node_id} is not back after {timeout:g} s: wait, or start the nodes anew (%manta start)"
                )
        finally:
            self._fleet.unlisten(name)
        return self._told("restart", host, node_id, f"restarted {_who(host, node_id)}")

    def see(self, node_id: str, busy: bool, closed: bool) -> Node:
        """The node as it is now, in a session that may be closed."""
        host = self._fleet.host_of(node_id)
        pid = self._pid(host) or host.pid
        state = "lost" if not host.alive else "busy" if busy else "idle"
        state = "closed" if closed else "frozen" if self.freezer.frozen(pid) else state
        datasets = tuple(self._started.plan.datasets.get(node_id, ()))
        factor = self._fleet.paces.get(node_id, 1.0)
        return Node(node_id, state, host.worker_id, pid, datasets, factor, self)

    def _process(self, node_id: str, verb: str, away: bool = False) -> tuple[Host, int]:
        """The host of a node and its process; 0 where it restarts just now, which only `away` allows."""
        self._check_open()
        host = self._fleet.host_of(node_id)
        if not self._started.hosting.ours:
            raise NodeError(
                one_line(
                    f"cannot {verb} {node_id}: somebody else started its cluster; slow(factor) works there"
                )
            )
        pid = self._pid(host) if host.alive else 0
        if not pid and not away:
            raise NodeError(f"{node_id} is being restarted: wait a moment")
        return host, pid

    def _pid(self, host: Host) -> int:
        return self._started.hosting.pids().get(host.worker_id) or 0

    def _end(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        # what its tasks started may stand still, and outlive it
        self.freezer.thaw(pid)

    def _told(self, kind: str, host: Host, node_id: str, text: str) -> Card:
        line = one_line(text)
        nodes = set(host.node_ids)
        for run in self._active():
            if nodes.intersection(run.nodes):
                run._driver.post(Noted(Event(run.progress.iteration, kind, line, node_id)))
        return Card(line)


class _Back:
    """Hears when a worker is back; a `runtime.fleet.Listener`."""

    def __init__(self, worker_id: str) -> None:
        self.event = threading.Event()
        self._worker_id = worker_id

    def posted(self, batch_id: str, message: Any) -> None:
        """See `Listener.posted`."""

    def host_lost(self, host: Host) -> None:
        """See `Listener.host_lost`."""

    def host_joined(self, host: Host) -> None:
        """See `Listener.host_joined`."""
        if host.worker_id == self._worker_id:
            self.event.set()


def _who(host: Host, node_id: str) -> str:
    others = [other for other in host.node_ids if other != node_id]
    return f"{node_id}, and with it {name_some(others, 5)}" if others else node_id


def _checked(value: object, verb: str, least: float, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        number = math.nan
    else:
        number = float(value)
    if not least <= number <= most or number <= 0:
        span = f"from {least} to {most}" if least else f"up to {most}"
        raise UsageError(one_line(f"{verb} takes {what} {span}, got {value!r}"))
    return number
