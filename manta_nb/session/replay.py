"""Running one task in this very process, slowly, with frames: what a debugger needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from manta_nb.engine.seeds import derive_seed
from manta_nb.errors import MissingTag
from manta_nb.runtime.runners.cleaning import seed_everything
from manta_nb.sdk.codec import decode, encode
from manta_nb.sdk.context import TaskContext, use_context
from manta_nb.sdk.importing import SourceImporter, entry_point
from manta_nb.sdk.module import Module
from manta_nb.session.views import misspelt
from manta_nb.shims import shim_folder

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["MemoryHost", "replay"]


class MemoryHost:
    """A `Host` in dicts: reads are copies, writes are checked like on a node."""

    def __init__(self, globals: Mapping[str, Any]) -> None:
        self._globals = dict(globals)
        self._state: dict[str, Any] = {}

    @property
    def state(self) -> MutableMapping[str, Any]:
        """See `Host.state`."""
        return self._state

    def read_global(self, tag: str) -> Any:
        """See `Host.read_global`."""
        if tag not in self._globals:
            raise MissingTag(misspelt("Global", tag, self._globals))
        return _copy(self._globals[tag], f"globals[{tag!r}]")

    def global_tags(self) -> list[str]:
        """See `Host.global_tags`."""
        return list(self._globals)

    def write_global(self, tag: str, value: Any) -> None:
        """See `Host.write_global`."""
        self._globals[tag] = _copy(value, f"globals[{tag!r}]")

    def select(self, tag: str, iteration: int | None, latest: bool) -> dict[str, Any]:
        """See `Host.select`: there are no results yet."""
        return {}

    def add_result(self, tag: str, value: Any) -> None:
        """See `Host.add_result`."""
        encode(value, what=f"results.add({tag!r})")

    def add_metric(self, name: str, value: float, step: float | None) -> None:
        """See `Host.add_metric`."""

    def schedule(self, node_ids: Sequence[str], alias: str) -> None:
        """See `Host.schedule`."""

    def stop(self) -> None:
        """See `Host.stop`."""

    def quorum(self, nodes: int, patience: float, deadline: float, away: bool) -> None:
        """See `Host.quorum`: one node is always enough here."""

    @property
    def released(self) -> bool:
        """See `Host.released`: who looks at this turn waits for it."""
        return False


def replay(session: Session, module: Module, node_id: str, globals: Mapping[str, Any], run: Run) -> None:
    """Run the task here as it ran on the node; what it raises is not caught."""
    __tracebackhide__ = True
    record = session.record(node_id)
    context = TaskContext(run.run_id, 0, module.alias, node_id, record.datasets, MemoryHost(globals))
    importer = SourceImporter(module.source)
    # its lines stay known to the debugger; only the finder goes
    sys.meta_path.insert(0, importer)
    path = list(sys.path)
    # first, as on the nodes
    sys.path.insert(0, str(shim_folder()))
    try:
        seed_everything(derive_seed(run.seed, 0, module.alias, node_id))
        with use_context(context):
            entry_point(importer)()
    finally:
        sys.path[:] = path
        importer.forget()


def _copy(value: Any, what: str) -> Any:
    return decode(memoryview(bytearray(b"".join(encode(value, what=what).buffers))), writable=True)
