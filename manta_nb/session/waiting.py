"""Waiting for a run, and being told of what it does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import MantaError
from manta_nb.session.leg import Leg
from manta_nb.session.showing import WaitingInterrupted

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["Watcher", "Watchers", "await_end", "wait_for_end"]

Watcher = Callable[["Run"], None]

_log = logging.getLogger(__name__)


class Watchers:
    """Who is told of every change of a run, from the run's own threads."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []

    def add(self, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` from now on; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def tell(self, run: Run) -> None:
        """Something has changed."""
        for watcher in list(self._watchers):
            try:
                watcher(run)
            except Exception:  # noqa: BLE001 - a watcher is a screen: its bug must not end a run
                _log.exception("a watcher of run %s failed", run.name)


def wait_for_end(run: Run, leg: Leg, timeout: float | None) -> None:
    """Wait until this leg of the run is over.

    Raises:
        MantaError: it is not over in time. WaitingInterrupted: an interrupt ended the waiting, and that only.
    """
    try:
        over = leg.done.wait(timeout)
    except KeyboardInterrupt:
        told = f"{run.name} goes on ({run._counted()}); {run.name}.stop() ends it"
        raise WaitingInterrupted(told) from None
    if not over:
        told = f"{run.name} is not over after {timeout:g} s ({run._counted()}{_missing(run)}); it goes on"
        raise MantaError(one_line(told))


def _missing(run: Run) -> str:
    """Who is waited for: `; worker runs on node_0, node_1 and 6 more; node_3 is lost`."""
    work = run._history.work
    busy: dict[str, list[str]] = {}
    for node_id, (task, state) in list(work.doing.items()):
        if state in ("running", "waiting") and node_id not in work.away:
            busy.setdefault(task, []).append(node_id)
    told = [f"{task} runs on {name_some(nodes, 3)}" for task, nodes in busy.items()]
    told += [f"{node_id} is {state}" for node_id, state in list(work.away.items())[:3]]
    return "".join(f"; {each}" for each in told)


def await_end(run: Run) -> Generator[Any, None, None]:
    """Wait for the end in a coroutine."""
    # no thread that waits: it would outlive an interrupted cell, and keep the kernel from ending
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    unwatch = run.watch(lambda run: _tell(loop, over) if run.finished else None)
    try:
        yield from over
    finally:
        unwatch()


def _tell(loop: asyncio.AbstractEventLoop, over: asyncio.Future[None]) -> None:
    """The run is over, says its thread; the loop may be, too."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, over)


def _settle(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
