"""`RunFeed`: a run as messages to the browser, first all of it, then what changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from manta_nb.session.feed.answers import Answers
from manta_nb.session.feed.heads import Error, Graph, Head, Tasks
from manta_nb.session.feed.look import Buttons, Look, NoLook
from manta_nb.session.feed.message import Draft, Message, Part
from manta_nb.session.feed.names import Names
from manta_nb.session.feed.nodes import Crowd, NodeRows, Nodes
from manta_nb.session.feed.pace import Clock, Pace, Slowly
from manta_nb.session.feed.points import Bands, Points
from manta_nb.session.feed.study import Study
from manta_nb.session.feed.texts import Events, Logs, Output
from manta_nb.session.feed.values import Disagreements, Globals, Results
from manta_nb.session.run import Run

__all__ = ["MANY", "RunFeed"]

#: more nodes than these are told of in aggregates
MANY = 128
#: seconds between two changes of a number in a table
_READABLE = 0.4


class RunFeed:
    """What one audience knows of a run, and what it has to be told next. Any thread may call it.

    ```
    feed = RunFeed(run, look)
    send(feed.full())
    while not run.finished:             # ten times a second, also where nobody says that something changed
        if (message := feed.delta()) is not None:
            send(message)
        feed.background()
    feed.background()
    while (message := feed.delta()) is not None:
        send(message)
    ```
    A delta takes microseconds where little has changed, and 50 kB at most: what is left over follows in the next.
    The rows of the nodes and what was printed come a few times a second; all is said once the run is over.
    All browsers that listen get every message; one that missed some, or comes later, asks for `full`, which
    replaces what the others have, too.

    Args:
        run: what is watched.
        look: what is seen of its nodes from outside.
        many: with more nodes than this, aggregates are sent in the place of rows.
        clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(
        self, run: Run, look: Look | None = None, many: int = MANY, clock: Clock = time.monotonic
    ) -> None:
        #: what a person may do now; whoever has the buttons sets it
        self.buttons = Buttons()
        self._look = look or NoLook()
        self._lock = threading.Lock()
        self._seq = 0
        history = run._history
        self._study = Study(history.findings, history.book)
        names = Names(run.nodes, run.graph._inputs, run.metrics.stored)
        rows = NodeRows(history.work, self._look)
        self._answers = Answers(run, rows)
        crowded = len(run.nodes) > many
        stored, findings = run.metrics.stored, history.findings

        def pace(pause: float = _READABLE) -> Pace:
            return Pace(pause, lambda: run.finished, clock)

        slow: list[Part] = [Crowd(rows, names, pace()), Slowly(pace(), Logs(run.logs))]
        if not crowded:
            # together: a table that is read is not disturbed more often than it has to be, nor is the run
            slow = [Slowly(pace(), Nodes(rows, names), Output(run.logs, names), Logs(run.logs))]
        self._graph = Graph(run)
        self._parts: list[Part] = [
            Head(run, lambda: self.buttons, crowded),
            Tasks(run, self._look),
            Error(run),
            Globals(findings),
            Results(findings, names, crowded),
            Disagreements(findings, names),
            Events(run.events),
            *slow,
            # last, since they fill whatever room is left; and the names that all of these use
            Bands(stored, names, pace(0.0)) if crowded else Points(stored, names),
            names,
        ]

    def full(self) -> Message:
        """All there is; what the browser had is replaced."""
        with self._lock:
            for part in self._parts:
                part.reset()
            draft = Draft()
            self._graph.add(draft)
            return self._made("full", draft)

    def delta(self) -> Message | None:
        """What changed since the last message; None where nothing did."""
        with self._lock:
            message = self._made("delta", Draft.of_delta())
        return message if len(message.content) > 2 else None

    def answer(self, command: Mapping[str, Any]) -> Message:
        """The answer to a `value`, `nodes` or `logs` command; nothing else waits for it."""
        return Message(self._answers.to(command))

    def background(self) -> None:
        """What takes longer: look at processes, once a second, and at the values of committed iterations.

        Call it on a thread that nobody waits for, after sending; it returns at once where there is nothing to do.
        """
        self._look.sample()
        self._study.work()

    def _made(self, op: str, draft: Draft) -> Message:
        for part in self._parts:
            part.add(draft)
        if draft.content:
            self._seq += 1
        return draft.message(op, self._seq)
