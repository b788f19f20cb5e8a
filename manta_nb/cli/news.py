"""What is said of a run while it goes on, besides its progress: lines of programs, and what happens to nodes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from manta_nb.cli.console import Console

if TYPE_CHECKING:
    from manta_nb.engine.records import Event
    from manta_nb.session.logs import LogRow
    from manta_nb.session.run import Run

__all__ = ["tell_news"]


@contextlib.contextmanager
def tell_news(
    run: Run,
    console: Console,
    of_line: Callable[[LogRow], str],
    of_event: Callable[[Event], str] = lambda event: "",
) -> Iterator[None]:
    """Say what comes while the block runs, as it comes.

    Args:
        run: what goes on.
        console: where to.
        of_line: what is said of a line of the logs; "" for nothing.
        of_event: the same of an event.
    """
    lines = events = 0
    lock = threading.Lock()

    def tell(seen: Run) -> None:
        nonlocal lines, events
        with lock:
            first, rows = seen.logs.since(lines)
            lines = first + len(rows)
            begin, happened = seen.events.since(events)
            events = begin + len(happened)
            said = [text for text in (*map(of_line, rows), *map(of_event, happened)) if text]
            if said and console.rewrites:
                console.rewrite("")
            for text in said:
                console.say(text)

    end = run.watch(tell)
    try:
        yield
    finally:
        end()
        tell(run)
