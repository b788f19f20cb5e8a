"""`Pump`: the thread's work while pages look at this kernel: sees what changed and sends it, five times a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import manta_nb
from manta_nb.ui.monitor.opening import controls
from manta_nb.ui.panel.chosen import ChosenSection, by_default, find_chosen
from manta_nb.ui.panel.keeping import Keeper
from manta_nb.ui.panel.modules import ModulesSection
from manta_nb.ui.panel.nodes import NodesSection
from manta_nb.ui.panel.protocol import PROTOCOL
from manta_nb.ui.panel.runs import RunsSection
from manta_nb.ui.panel.sections import Clock, Section

if TYPE_CHECKING:
    from manta_nb.ui.panel.alarm import Alarm
    from manta_nb.ui.panel.sources import Source
    from manta_nb.ui.panel.views import View

__all__ = ["PAUSE", "Pump"]

_log = logging.getLogger(__name__)

#: seconds between two messages, at least, and after which it looks although nobody told that something changed
PAUSE, _IDLE = 0.2, 1.0
#: what took t seconds is followed by a pause of this many t: 2 % of the time, at most
_RATIO, _LONGEST = 50, 5.0


class Pump:
    """Sends the pages what they do not have yet.

    Args:
        source: what is shown.
        loaded: whether the magics are there.
        views: the pages that look now.
        alarm: rings when something changed.
        clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(
        self,
        source: Source,
        loaded: bool,
        views: Callable[[], Sequence[View]],
        alarm: Alarm,
        clock: Clock = time.monotonic,
    ) -> None:
        self._source = source
        self._views = views
        self._alarm = alarm
        #: part of the work → its error, which is logged once
        self._told: dict[str, str] = {}
        self._clock = clock
        self.keeper = Keeper(source)
        self._kernel = _kernel(controls(), loaded)
        #: the same for pages whose questions wait for the cell although ipykernel has subshells
        self._waiting = _kernel("after-cell", loaded)
        self._nodes = NodesSection(source, clock)
        self._runs = RunsSection(source, self.keeper, loaded, alarm.ring, clock)
        self._modules = ModulesSection(source)
        #: run that a page has chosen ("": none) → its values
        self._chosen: dict[str, ChosenSection] = {}

    def run(self, over: Callable[[], bool]) -> None:
        """Work until it is over."""
        try:
            while not over():
                self._alarm.wait(_IDLE)
                if not over():
                    self._alarm.rest(self._tick())
        finally:
            self.close()

    def _tick(self) -> float:
        """Send what changed; returns the seconds to rest."""
        began = time.thread_time()
        self.once()
        return min(max(PAUSE, _RATIO * (time.thread_time() - began)), _LONGEST)

    def once(self) -> None:
        """Look at everything, and send each page what it does not have as it is now."""
        views = self._views()
        if not views:
            return
        self._guarded("nodes", self._nodes.update)
        self._guarded("modules", self._modules.update)
        self._guarded("runs", self._runs.update)
        shown = {view.chosen for view in views}
        self._chosen = {run_id: self._chosen.get(run_id) or self._new() for run_id in shown}
        for run_id, section in self._chosen.items():
            self._guarded("values", partial(self._choose, run_id, section))
        for view in views:
            self._guarded("page", partial(self._send, view))

    def _choose(self, run_id: str, section: ChosenSection) -> None:
        found = run_id or by_default(self._runs.known, self._source.here)
        section.update(found, find_chosen(self._runs.known, found))

    def _send(self, view: View) -> None:
        sections: dict[str, Section] = {
            "kernel": self._waiting if view.waits else self._kernel,
            "session": self._nodes,
            "modules": self._modules,
            "runs": self._runs,
        }
        chosen = self._chosen.get(view.chosen)
        try:
            view.update(sections if chosen is None else sections | {"chosen": chosen})
        except OSError:
            _log.debug("a page has gone")

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """Work; a bug of ours is logged once, and ends neither the other sections nor anything else."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            told = f"{type(error).__name__}: {error}"
            if self._told.get(what) != told:
                _log.exception("the sidebar cannot show %s", what)
            self._told[what] = told
        else:
            self._told.pop(what, None)

    def hurry(self) -> None:
        """A cell has run: what is looked at seldom is looked at now."""
        self._nodes.hurry()
        self._runs.hurry()
        self._alarm.ring()

    def close(self) -> None:
        """Let go of everything that was looked at."""
        self._runs.close()
        self.keeper.close()

    def _new(self) -> ChosenSection:
        return ChosenSection(self._source, self.keeper, self._clock)


def _kernel(acts: str, loaded: bool) -> Section:
    section = Section()
    section.put({"protocol": PROTOCOL, "version": manta_nb.__version__, "controls": acts, "loaded": loaded})
    return section
