"""One batch in the process that runs it: node after node, each turn from a clean start, every outcome contained."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from typing import Any

from manta_nb.engine.seeds import derive_seed
from manta_nb.errors import MantaError
from manta_nb.runtime.runners.capture import Capture
from manta_nb.runtime.runners.channel import Channel, ChannelClosed
from manta_nb.runtime.runners.cleaning import CleanStart, seed_everything
from manta_nb.runtime.runners.host import BatchHost
from manta_nb.runtime.runners.outlet import Stream
from manta_nb.runtime.runners.readers import LostSegment
from manta_nb.runtime.runners.report import explain
from manta_nb.runtime.runners.request import NodeRecord, SharedRequest
from manta_nb.runtime.runners.state import NodeState
from manta_nb.sdk.context import TaskContext, use_context
from manta_nb.sdk.importing import SourceImporter, entry_point

__all__ = ["Batch", "Programs"]


class Programs:
    """The modules a process has imported, each version once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[SourceImporter, Callable[[], Any] | BaseException]] = {}

    def get(self, request: SharedRequest) -> tuple[SourceImporter, Callable[[], Any]]:
        """The importer and the entry of the request's module; raises again what its import raised."""
        key = (request.source.name, request.source.version)
        if key not in self._known:
            importer = SourceImporter(request.source)
            sys.meta_path.insert(0, importer)
            try:
                self._known[key] = importer, entry_point(importer)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's top-level code may raise anything
                self._known[key] = importer, error
        importer, entry = self._known[key]
        if isinstance(entry, BaseException):
            raise entry
        return importer, entry

    def forget(self) -> None:
        """Drop all imported modules."""
        for importer, _ in self._known.values():
            importer.forget()
        self._known = {}


class Batch:
    """The turns of one request."""

    def __init__(
        self,
        request: SharedRequest,
        host: BatchHost,
        channel: Channel,
        stream: Stream,
        programs: Programs,
        threads: int,
    ) -> None:
        self._request = request
        self._host = host
        self._channel = channel
        self._stream = stream
        self._programs = programs
        self._clean = CleanStart(threads)
        self._capture = Capture(lambda node, level, line: stream.put(("l", node, level, line)))

    def run(self, turns: Mapping[int, tuple[str, NodeRecord, str | None]]) -> None:
        """Run the turns given as {position: (node id, node, version of its state)}."""
        with self._capture.active():
            for position, (node_id, record, version) in turns.items():
                self._turn(position, node_id, record, version)
        self._stream.flush()

    def _turn(self, position: int, node_id: str, record: NodeRecord, start: str | None) -> None:
        request = self._request
        version = f"{request.iteration}-{request.task}-{request.attempt}"
        self._host.begin(position, NodeState(record.folder, request.run_id, start, version))
        self._capture.begin(position)
        ok = False
        try:
            self._clean.begin(record.folder)
            seed_everything(derive_seed(request.seed, request.iteration, request.task, node_id))
            context = TaskContext(
                request.run_id, request.iteration, request.task, node_id, record.datasets, self._host
            )
            with use_context(context):
                self._call()
            self._host.check_lost()
            self._host.save_state()
            ok = True
        except LostSegment as lost:
            self._channel.send({"op": "lost", "node": position, "key": lost.key})
        except ChannelClosed:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is an outcome of its node
            self._failed(position, error)
        finally:
            self._capture.end()
            self._host.end(ok)

    def _call(self) -> None:
        _, entry = self._programs.get(self._request)
        returned = entry()
        if returned is not None and self._request.source.entry_is_class:
            self._host.note(
                "returned",
                f"{self._request.task}: what run() returns is not used; results.add(tag, value) sends it",
            )

    def _failed(self, position: int, error: BaseException) -> None:
        source = self._request.source
        files = {source.origins.get(file, f"{source.name}/{file}") for file in source.files}
        linecache.checkcache()
        told = explain(error, files)
        if isinstance(error, MantaError):
            told["message"] = str(error)
        self._channel.send(
            {"op": "failed", "node": position, "kind": "error", "output": list(self._capture.last), **told}
        )
