"""What a person changes in the Globals while a run goes on: asked for at any time, in force from an iteration on.

Only the outside can read a value, so a change takes two steps: when an iteration is complete the state asks for the
changed values (`EditGlobals`), and commits the iteration with them when they are there (`GlobalsEdited`).
"""

from __future__ import annotations

from collections.abc import Mapping

from manta_nb.engine.committed import globals_of
from manta_nb.engine.events import GlobalsEdited
from manta_nb.engine.instructions import EditGlobals, Record
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import Change, Event, ValueRef

__all__ = ["Changes"]


class Changes:
    """The changes of one run that are not in force yet."""

    def __init__(self) -> None:
        self._asked: list[Change] = []
        self._made: GlobalsEdited | None = None
        #: whether the values are being made: nothing goes on until they are there
        self.waiting = False

    def ask(self, change: Change) -> None:
        """A person wants this from the next iteration on."""
        self._asked.append(change)

    def begin(self, iteration: Iteration, before: Mapping[str, ValueRef]) -> list[EditGlobals]:
        """The iteration is complete: what has to be made before it is committed; nothing where nothing is asked for."""
        if not self._asked or self._made is not None:
            return []
        asked, self._asked = tuple(self._asked), []
        self.waiting = True
        return [EditGlobals(iteration.number, {**before, **globals_of(iteration.batches())}, asked)]

    def made(self, event: GlobalsEdited) -> None:
        """The values are there."""
        self.waiting, self._made = False, event

    def keys(self) -> set[str]:
        """The segments of values that are made and not committed yet."""
        return set() if self._made is None else {ref.segment.key for ref in self._made.globals.values()}

    def take(self, iteration: int) -> tuple[Mapping[str, ValueRef], list[Record]]:
        """What is committed with the iteration, and what is told about it."""
        made, self._made = self._made, None
        if made is None:
            return {}, []
        return made.globals, [Record(Event(iteration + 1, "change", text)) for text in made.told]
