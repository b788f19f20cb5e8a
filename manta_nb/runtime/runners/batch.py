"""One batch in the process that runs it: node after node, each turn from a clean start, every outcome contained."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from os import sep
from time import monotonic, sleep
from typing import Any, NamedTuple

from manta_nb.engine.seeds import derive_seed
from manta_nb.errors import MantaError, PackageError
from manta_nb.runtime.runners.capture import Capture
from manta_nb.runtime.runners.channel import Channel, ChannelClosed
from manta_nb.runtime.runners.cleaning import CleanStart, seed_everything
from manta_nb.runtime.runners.host import BatchHost
from manta_nb.runtime.runners.outlet import Stream
from manta_nb.runtime.runners.programs import Programs
from manta_nb.runtime.runners.readers import LostSegment
from manta_nb.runtime.runners.report import explain
from manta_nb.runtime.runners.request import NodeRecord, SharedRequest
from manta_nb.runtime.runners.state import NodeState
from manta_nb.sdk.context import TaskContext, use_context

__all__ = ["Batch", "Turn"]

#: where a process has more turns than this, what they report is bundled over so many seconds: a message for
#: each would cost as much as a short turn
MANY_TURNS = 500
PATIENCE = 0.001
#: beside the versions of a node's `local.state`: the files its tasks keep
FILES = "files"


class Turn(NamedTuple):
    """One node's part of a batch."""

    node_id: str
    record: NodeRecord
    #: version of its `local.state`; None: there is none yet
    state: str | None
    #: its `local.live`
    live: dict[str, Any]


class Batch:
    """The turns of one request."""

    def __init__(
        self,
        request: SharedRequest,
        host: BatchHost,
        channel: Channel,
        stream: Stream,
        programs: Programs,
        clean: CleanStart,
        paces: Mapping[str, float],
    ) -> None:
        self._request = request
        self._host = host
        self._channel = channel
        self._stream = stream
        self._programs = programs
        self._clean = clean
        self._paces = paces
        self._patience = 0.0
        self._version = f"{request.iteration}-{request.task}-{request.attempt}"
        self._capture = Capture(lambda node, level, line: stream.put(("l", node, level, line)))

    def run(self, turns: Mapping[int, Turn]) -> None:
        """Run the turns, given by their positions in the batch."""
        self._patience = PATIENCE if len(turns) > MANY_TURNS else 0.0
        with self._capture.active():
            for position, turn in turns.items():
                self._turn(position, turn)
        self._clean.end()
        self._stream.flush()

    def _turn(self, position: int, turn: Turn) -> None:
        request = self._request
        folder = turn.record.state_folder(request.run_id)
        self._host.begin(position, NodeState(folder, turn.state, self._version, request.kept))
        self._capture.begin(position)
        began, ok = monotonic(), False
        try:
            ok = self._work(position, turn, folder)
            self._dawdle(turn.node_id, began)
        finally:
            self._capture.end()
            # before the turn of a node that may take this process, and what waits in it, with it
            self._stream.flush(older_than=self._patience)
            self._host.end(ok)

    def _work(self, position: int, turn: Turn, folder: str) -> bool:
        """Whether the turn succeeded."""
        request, node_id, record = self._request, turn.node_id, turn.record
        try:
            self._clean.begin(record.folder)
            seed_everything(derive_seed(request.seed, request.iteration, request.task, node_id))
            context = TaskContext(
                request.run_id,
                request.iteration,
                request.task,
                node_id,
                record.datasets,
                self._host,
                f"{folder}{sep}{FILES}",
                turn.live,
            )
            with use_context(context):
                self._call()
            if self._host.lost is not None:
                raise LostSegment(self._host.lost)
            self._host.save_state()
        except ChannelClosed:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is an outcome of its node
            self._failed(position, error)
            return False
        return True

    def _dawdle(self, node_id: str, began: float) -> None:
        """A node that a person slowed down takes so many times as long; who stops the run kills this process."""
        pace = self._paces.get(node_id, 1.0)
        if pace > 1:
            self._stream.flush()
            sleep((pace - 1) * (monotonic() - began))

    def _call(self) -> None:
        returned = self._programs.get(self._request)()
        if returned is not None and self._request.source.entry_is_class:
            self._host.note(
                "returned",
                f"{self._request.task}: what run() returns is not used; results.add(tag, value) sends it",
            )

    def _failed(self, position: int, error: BaseException) -> None:
        lost = self._host.lost
        if lost is not None:
            # whatever the task made of it
            self._channel.send({"op": "lost", "node": position, "key": lost})
            return
        source = self._request.source
        files = {source.origins.get(file, f"{source.name}/{file}") for file in source.files}
        linecache.checkcache()
        told = explain(error, files)
        if isinstance(error, MantaError):
            told["message"] = str(error)
        if isinstance(error, PackageError):
            # what a program printed says where it failed; the line that called it does not
            told |= {"where": "", "traceback": ""}
        self._channel.send(
            {"op": "failed", "node": position, "kind": "error", "output": list(self._capture.last), **told}
        )
