"""The process that runs users' code: it serves one worker and one run, and is killed rather than asked to stop.

Started by fork from a template, or as `python -m manta_nb.runtime.runners.child` where there is no fork.
"""

from __future__ import annotations

import ctypes
import faulthandler
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from manta_nb.runtime.runners.batch import Batch, Turn
from manta_nb.runtime.runners.channel import Channel, ChannelClosed, Message, PipeChannel
from manta_nb.runtime.runners.cleaning import CleanStart, Pools, find_pools
from manta_nb.runtime.runners.host import BatchHost
from manta_nb.runtime.runners.outlet import MessageOutlet, Outlet, SharedOutlet, Stream
from manta_nb.runtime.runners.programs import Programs
from manta_nb.runtime.runners.readers import Readers
from manta_nb.runtime.runners.release import RELEASE, Release
from manta_nb.runtime.runners.request import NodeRecord, SharedRequest, load_nodes

__all__ = ["Child", "die_with_parent", "main", "serve", "work"]

PR_SET_PDEATHSIG = 1


class Child:
    """What a child keeps between batches: its modules, its open segments, its nodes."""

    def __init__(self, channel: Channel, hello: dict[str, Any], programs: Programs) -> None:
        self._channel = channel
        self._clean = CleanStart(int(hello["threads"]))
        self._nodes: dict[str, NodeRecord] = load_nodes(Path(hello["nodes"]))
        self._programs = programs
        self._readers = Readers()
        #: node → objects that its turns keep in this process
        self._live: dict[str, dict[str, Any]] = {}

    def batch(self, message: Message) -> None:
        """Run one batch and say when it is over."""
        request = SharedRequest.from_json(message["shared"])
        self._readers.use(request.segments, _received(message))
        outlet = self._outlet(message)
        stream = Stream(self._channel)
        release = Release(self._channel, bool(message.get("released")))
        host = BatchHost(request, self._readers, outlet, stream, self._channel, message["tags"], release)
        turns = {
            position: Turn(
                node_id,
                self._nodes[node_id],
                message["states"].get(node_id),
                self._live.setdefault(node_id, {}),
            )
            for position, node_id in message["turns"]
        }
        paces = message.get("paces", {})
        Batch(request, host, self._channel, stream, self._programs, self._clean, paces).run(turns)
        outlet.close()
        self._channel.send({"op": "end", "kept": self._readers.kept()})

    def close(self) -> None:
        """Give up what it opened: a thread's process goes on."""
        self._readers.close()

    def _outlet(self, message: Message) -> Outlet:
        if not message.descriptors:
            return MessageOutlet(self._channel, int(message["at"]))
        segment, ledger = message.descriptors
        return SharedOutlet(segment, ledger, int(message["at"]))


def _received(message: Message) -> dict[str, memoryview]:
    """The segments that came as bytes, by key."""
    received, at = {}, 0
    for key, nbytes in message.get("imports", ()):
        received[key] = message.payload[at : at + nbytes]
        at += nbytes
    return received


def serve(channel: Channel, pools: Pools | None = None) -> None:
    """Answer one worker until it hangs up; `pools` where they are known already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(file=2)
    os.register_at_fork(after_in_child=lambda: _let_go(channel))
    try:
        hello = channel.receive()
        limit_memory(hello.get("memory"))
        limit_threads(int(hello["threads"]), pools)
        work(channel, hello, Programs())
    except ChannelClosed:
        return


def work(channel: Channel, hello: dict[str, Any], programs: Programs) -> None:
    """Run batch after batch; ends with `ChannelClosed`."""
    prefer_shims(hello["path"])
    child = Child(channel, hello, programs)
    try:
        while True:
            message = channel.receive()
            # the batch that a release was for may have ended in the meantime
            if message.get("op") != RELEASE:
                child.batch(message)
    finally:
        child.close()


def _let_go(channel: Channel) -> None:
    """A process that a task forked (a data loader) is not the task: it has no say, and prints like any program."""
    channel.close()
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), line_buffering=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "wb", closefd=False), line_buffering=True)


def die_with_parent(parent: int) -> None:
    """Be killed when the thread that started this process ends (Linux; elsewhere a closed channel tells)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # it ended before the line above
        os._exit(0)


def prefer_shims(folders: list[str]) -> None:
    """Put the compatible packages (`manta`, …) where the session decided."""
    for folder in reversed(folders):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def limit_threads(threads: int, pools: Pools | None) -> None:
    """So many threads for BLAS, and for what is imported later; torch is told before each turn."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    pools = pools or find_pools()
    if pools is not None:
        pools.limit(limits=threads, user_api="blas")


def limit_memory(limit: int | None) -> None:
    """Let the process grow by at most `limit` bytes of its own memory; shared segments are not counted."""
    if limit is None or sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - only where there is such a limit

    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (own + limit, resource.RLIM_INFINITY))


def main() -> None:
    """Serve the worker, whose pid is the argument, at the other end of standard input and output."""
    die_with_parent(int(sys.argv[1]))
    reader, writer = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    # what C code prints goes where errors go: into the task's log
    os.dup2(2, 1)
    serve(PipeChannel(reader, writer))


if __name__ == "__main__":
    main()
