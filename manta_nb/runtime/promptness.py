"""Dask's streams, so that what a run waits for is sent at once.

Each stream sends at most one message in so many milliseconds: 10 from the client, 5 to a worker, 2 back. That is for
millions of tasks. A run has a few an iteration, each of which waits for the one before, and the message that lets go of
the last result has just been sent: it lost up to 20 ms an iteration.
"""

from __future__ import annotations

from distributed import Client, Scheduler, SchedulerPlugin, Worker
from distributed.batched import BatchedSend

__all__ = ["make_prompt", "make_worker_prompt"]

#: seconds between two messages of a stream; what comes in between goes with the second one
INTERVAL = 0.0005


class _PromptStreams(SchedulerPlugin):
    """The stream to each worker, also to one that comes back."""

    name = "manta-nb-prompt"

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """See `SchedulerPlugin.add_worker`."""
        _hasten(scheduler.stream_comms[worker])


def make_prompt(client: Client, scheduler: Scheduler | None) -> None:
    """Hasten the streams between a client and the workers of its scheduler, which is in this process."""
    if scheduler is None:
        return
    scheduler.add_plugin(_PromptStreams(), idempotent=True)
    for stream in (client.scheduler_comm, *scheduler.client_comms.values(), *scheduler.stream_comms.values()):
        _hasten(stream)


def make_worker_prompt(worker: Worker) -> None:
    """Hasten what a worker says to its scheduler."""
    _hasten(worker.batched_stream)


def _hasten(stream: BatchedSend | None) -> None:
    if stream is not None:
        stream.interval = INTERVAL
