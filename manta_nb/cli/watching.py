"""A run on the command line from its start to its report, and what Ctrl-C does meanwhile."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from manta_nb.cli.console import Console
from manta_nb.cli.outcome import report
from manta_nb.cli.progress import follow

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["FAILED", "INTERRUPTED", "second_interrupt_kills", "watch", "watch_to_end"]

FAILED, INTERRUPTED = 1, 130


def watch_to_end(run: Run, console: Console, as_object: bool) -> int:
    """Show a run until it is over, and report; the exit code says how it ended.

    The first Ctrl-C stops the run, a second one has its old meaning.
    """
    code = watch(run, console)
    report(run, console, as_object)
    return code


def watch(run: Run, console: Console) -> int:
    """The same without the report."""
    interrupted = False
    try:
        follow(run, console)
    except KeyboardInterrupt:
        interrupted = True
        console.say("stopping; Ctrl-C again kills it")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        run.stop("interrupted by Ctrl-C")
    return INTERRUPTED if interrupted else 0 if run.status == "completed" else FAILED


@contextlib.contextmanager
def second_interrupt_kills() -> Iterator[None]:
    """Bring the handling of Ctrl-C back to what it was: `watch_to_end` gives the second one its old meaning."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
