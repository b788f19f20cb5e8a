"""`DaskDispatcher`: carries one run's `RunTask`s to the workers, and tells the engine what became of them."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from manta_nb.engine import events as ev
from manta_nb.engine.instructions import ReleaseNodes, RunTask
from manta_nb.engine.records import Event, Failure, NodeInfo, RunPlan
from manta_nb.runtime.batches import OpenBatch, OpenBatches
from manta_nb.runtime.cluster import RETURN_DEADLINE
from manta_nb.runtime.courier import Host
from manta_nb.runtime.decoding import outcome_to_batch
from manta_nb.runtime.fleet import Fleet
from manta_nb.runtime.inbox import Inbox
from manta_nb.runtime.program import Program
from manta_nb.runtime.reading import Reading, read_by, reading_for
from manta_nb.runtime.released import Lines, Released

__all__ = ["DaskDispatcher", "Lines"]

#: seconds that Dask gets to call the last batches finished
SETTLING = 2

_log = logging.getLogger(__name__)


class DaskDispatcher:
    """Implements `engine.ports.Dispatcher` for one execution of a run.

    Args:
        fleet: the workers.
        programs: what runs for each alias.
        nodes: those the run may use.
        lines: is given what tasks stream.
        again: how often the run was resumed. Workers and listeners know each execution by a name of its own, so that
            nothing that comes late of an earlier one is taken for this one's.
    """

    def __init__(
        self,
        fleet: Fleet,
        programs: Mapping[str, Program],
        nodes: Mapping[str, NodeInfo],
        lines: Lines,
        again: int = 0,
    ) -> None:
        self._fleet = fleet
        self._programs = programs
        self._nodes = nodes
        self._lines = lines
        self._open = OpenBatches()
        self._again = again
        self._numbers = itertools.count()
        self._used: set[str] = set()
        self._strays = False
        self._stopped: threading.Event | None = None

    def open(self, plan: RunPlan, post: Callable[[ev.RunEvent], None]) -> None:
        """See `Dispatcher.open`."""
        self._plan, self._post = plan, post
        self._id = f"{plan.run_id}.{self._again}" if self._again else plan.run_id
        self._released = Released(self._fleet, self._id, self._lines)
        self._inbox = Inbox(plan.run_id[:8], self._hear, self._look)
        self._fleet.listen(self._id, self)

    def run(self, task: RunTask) -> None:
        """See `Dispatcher.run`."""
        program = self._programs[task.alias]
        texts: dict[tuple[Any, ...], str] = {}
        for worker_id, node_ids in self._fleet.group(task.node_ids).items():
            host = self._fleet.hosts[worker_id]
            reading = reading_for(self._fleet, host, task, program.selects)
            if reading.lost:
                self._lost(task, tuple(node_ids), "a value it reads is gone", reading.lost)
                continue
            if reading.places not in texts:
                known = tuple(node for each in self._fleet.hosts.values() for node in each.node_ids)
                texts[reading.places] = program.shared(self._plan, task, reading, known).to_json()
            self._submit(task, program, host, tuple(node_ids), reading, texts[reading.places])

    def _submit(
        self,
        task: RunTask,
        program: Program,
        host: Host,
        node_ids: tuple[str, ...],
        reading: Reading,
        text: str,
    ) -> None:
        batch_id = f"{self._id}/{next(self._numbers)}"
        unneeded = self._fleet.courier.to_release(host.worker_id)
        paces = {node: self._fleet.paces[node] for node in node_ids if node in self._fleet.paces}
        request = program.request(self._id, task, node_ids, reading, text, unneeded, paces)
        opened = OpenBatch(task, host, node_ids)
        self._open.add(batch_id, opened)
        self._used.add(host.worker_id)
        key = f"{opened.label}-{batch_id.replace('/', '-')}"
        opened.future = self._fleet.submit(host, key, batch_id, request, reading.futures)
        opened.future.add_done_callback(lambda future: self._on_settled(batch_id, future.status))

    def _on_settled(self, batch_id: str, status: str) -> None:
        """Dask says how a batch ended; on a thread of Dask's."""
        self._open.settle()
        self._inbox.put(batch_id, {"status": status})

    def posted(self, batch_id: str, message: Mapping[str, Any]) -> None:
        """See `Listener.posted`."""
        self._inbox.put(batch_id, message)

    def host_lost(self, host: Host) -> None:
        """See `Listener.host_lost`."""
        self._released.lost(host)
        mine = tuple(node for node in host.node_ids if node in self._nodes)
        self._post(ev.NodesLost(mine, f"worker process {host.pid} of {host.worker_id} is gone"))
        for batch_id in self._open.on(host):
            self._inbox.put(batch_id, {"status": "lost"})
        if lost := self._fleet.book.lost_with(host.worker_id):
            self._post(ev.SegmentsLost(tuple(lost), f"{host.worker_id} held them and is gone"))

    def host_silent(self, host: Host, seconds: float) -> None:
        """See `Listener.host_silent`; `host_joined` follows when it answers again."""
        # what is written over must not be read by one that goes on later
        self._strays = True
        mine = tuple(node for node in host.node_ids if node in self._nodes)
        self._post(ev.NodesLost(mine, f"worker process {host.pid} has not answered for {seconds:.0f} s"))

    def host_joined(self, host: Host) -> None:
        """See `Listener.host_joined`."""
        self._released.joined(host)
        self._post(ev.NodesJoined(tuple(self._nodes[node] for node in host.node_ids if node in self._nodes)))

    def _hear(self, batch_id: str, message: Mapping[str, Any]) -> None:
        opened = self._open.get(batch_id)
        try:
            if opened is not None:
                self._take(batch_id, opened, message)
            elif self._released.hear(batch_id, message):
                return
            elif "head" in message and (late := self._open.given_up(batch_id)):
                self._post(ev.Noted(late))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a message, the run must not hang
            _log.exception("a message about %s of run %s cannot be read", batch_id, self._plan.run_id)
            if opened is not None and "lines" not in message:
                self._open.close(batch_id)
                self._lost(opened.task, opened.node_ids, f"its outcome cannot be read: {error}"[:200])

    def _look(self) -> None:
        """Give up batches whose outcome never came."""
        for batch_id in self._open.late(time.monotonic()):
            self._inbox.put(batch_id, {"status": "lost"})

    def _take(self, batch_id: str, opened: OpenBatch, message: Mapping[str, Any]) -> None:
        if "lines" in message:
            self._lines(
                opened.task.iteration, opened.task.alias, opened.node_ids, json.loads(message["lines"])
            )
        elif "head" in message:
            self._finished(batch_id, opened, message)
        elif "refused" in message:
            self._open.close(batch_id)
            self._lost(opened.task, opened.node_ids, str(message["refused"]))
        else:
            self._ended(batch_id, opened, message["status"])

    def _finished(self, batch_id: str, opened: OpenBatch, message: Mapping[str, Any]) -> None:
        self._open.close(batch_id)
        self._released.ended(opened.host, batch_id)
        told = outcome_to_batch(message, opened.task, opened.node_ids, opened.host.worker_id)
        if not self._fleet.book.take(told.batch, told.place, opened.host.tag):
            self._lost(opened.task, opened.node_ids, "it died before its Globals were out")
            return
        self._fleet.book.view(told.kept)
        for kind, node_id, text in told.notes:
            self._post(ev.Noted(Event(opened.task.iteration, kind, text, node_id, opened.task.alias)))
        self._post(ev.BatchFinished(told.batch))
        for key, node_ids in told.lost.items():
            gone = self._fleet.book.missing(opened.host.worker_id, key)
            self._lost(opened.task, node_ids, "a value it reads is gone", gone)

    def _ended(self, batch_id: str, opened: OpenBatch, status: str) -> None:
        """Dask says the batch is over; its outcome, if there is one, is already here or will come as an event."""
        if status == "finished":
            opened.ended = time.monotonic()
            return
        self._open.give_up(batch_id)
        error = (
            opened.future.exception(timeout=5) if status == "error" and opened.future is not None else None
        )
        if type(error).__name__ in ("NoValidWorkerError", "NoWorkerError"):
            reason = f"{opened.host.worker_id} did not come back within {RETURN_DEADLINE} s"
            self._post(ev.NodesGone(opened.host.node_ids, reason))
            return
        keys = self._fleet.book.lost(read_by(opened.task))
        self._lost(opened.task, opened.node_ids, f"worker process {opened.host.pid} died", tuple(keys))

    def _lost(
        self, task: RunTask, node_ids: tuple[str, ...], message: str, keys: tuple[str, ...] = ()
    ) -> None:
        # what was given up may still run somewhere, and read: from now on memory is freed, not used again
        self._strays = True
        failure = Failure(node_ids[0], "lost", message)
        self._post(ev.BatchLost(task.alias, task.iteration, task.attempt, node_ids, failure, keys))

    def release(self, release: ReleaseNodes) -> None:
        """See `Dispatcher.release`."""
        batches = self._open.of(release.iteration, release.alias, release.node_ids)
        # in this order: what comes of them in the meantime is known to somebody
        self._released.add(batches)
        for batch_id in batches:
            self._open.close(batch_id)

    def drop(self, keys: tuple[str, ...]) -> None:
        """See `Dispatcher.drop`."""
        strays = self._strays or bool(self._released.workers())
        self._fleet.courier.drop(keys, again=not strays)

    def stop(self) -> None:
        """See `Dispatcher.stop`."""
        opened = self._open.all()
        workers = {batch.host.worker_id for batch in opened}
        self._stop(workers | self._released.workers())
        self._fleet.cancel([batch.future for batch in opened if batch.future is not None])

    def _stop(self, workers: set[str]) -> None:
        self._stopped = self._fleet.broadcast("manta_nb_stop", workers, run_id=self._id)

    def close(self) -> None:
        """See `Dispatcher.close`."""
        # an outcome overtakes Dask's own word for it, which must not come after the client is gone
        self._open.wait_settled(SETTLING)
        if self._stopped is None and (left := self._released.workers()):
            self._stop(left)
        if self._stopped is not None:
            # what was stopped writes nothing any more when the run is resumed
            self._stopped.wait(SETTLING)
        self._fleet.unlisten(self._id)
        courier = self._fleet.courier
        # there may be no further batch to tell them
        unneeded = [key for worker_id in self._used for keys in courier.to_release(worker_id) for key in keys]
        self._fleet.broadcast("manta_nb_forget", self._used, run_id=self._id, keys=unneeded)
        self._inbox.close()
