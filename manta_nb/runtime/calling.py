"""What is said to workers, or asked of them, past the tasks; nothing here waits without a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from distributed import Client, Future

from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import NodeError

__all__ = ["broadcast", "cancel", "first_words"]

#: seconds that workers get to answer what all of them are told
BROADCAST_DEADLINE = 1.0
#: seconds that workers get to say who they are when a session starts
MEETING_DEADLINE = 60.0


def cancel(client: Client, futures: list[Future[Any]]) -> None:
    """Take back what has not started, without waiting."""

    async def take_back() -> None:
        with contextlib.suppress(OSError):
            await client.cancel(futures, asynchronous=True)

    if client.loop is not None:
        client.loop.add_callback(take_back)


def broadcast(client: Client, addresses: Sequence[str], op: str, **fields: Any) -> threading.Event:
    """Call a handler of these workers, without waiting; what is returned is set when they have answered."""
    answered = threading.Event()

    async def send() -> None:
        # a worker, or the whole cluster, may be going away: then there is nobody to tell
        with contextlib.suppress(OSError):
            if client.scheduler is not None:
                sent = client.scheduler.broadcast(
                    msg={"op": op, **fields}, workers=addresses, on_error="ignore"
                )
                # one that stands still answers when it goes on: nobody waits for that
                await asyncio.wait_for(sent, BROADCAST_DEADLINE)
        answered.set()

    if addresses and client.loop is not None:
        client.loop.add_callback(send)
    else:
        answered.set()
    return answered


def first_words(client: Client, asked: Mapping[str, Future[Any]]) -> list[dict[str, Any]]:
    """What the workers answered; a `NodeError` names those that did not in time."""
    futures, deadline = list(asked.values()), time.monotonic() + MEETING_DEADLINE
    try:
        for future in futures:
            # waits, and does not raise what became of it
            future.exception(timeout=max(0.001, deadline - time.monotonic()))
    except TimeoutError:
        missing = [worker_id for worker_id, future in asked.items() if not future.done()]
        raise NodeError(
            one_line(f"{name_some(missing, 5)} did not start within {MEETING_DEADLINE:g} s: try again")
        ) from None
    return list(client.gather(futures, direct=False))
