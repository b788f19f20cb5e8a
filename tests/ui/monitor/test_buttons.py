"""What the buttons of a monitor can do, as its feed says it."""

from __future__ import annotations

from typing import Any

import pytest

from manta_nb.session.run import Run
from manta_nb.session.session import Session
from manta_nb.ui.monitor.making import _ButtonFeed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that was stopped, on nodes that are still there."""
    from manta_nb import Module, Swarm

    text = 'from manta_light.task import Task\n\n\nclass W(Task):\n    def run(self):\n        self.world.metric("m", 1.0)\n'

    class Forever(Swarm):
        def execute(self) -> Any:
            return Module.from_source(text, name="w")()

    with Session(nodes=1, store=tmp_path_factory.mktemp("store")) as session:
        run = session.run(Forever(), iterations=1_000_000, name="fl")
        run.stop()
        run.wait(20, check=False)
        yield run, session


@pytest.mark.parametrize(("hindrance", "can"), [("", True), ("to go on: %load_ext manta_nb", False)])
def test_resume_is_there_where_it_works(stopped: tuple[Run, Session], hindrance: str, can: bool) -> None:
    """In a kernel without the magics the button is missing, and the screen says what to type."""
    run, session = stopped
    feed = _ButtonFeed(run, lambda: session, "live", lambda: hindrance)
    told = feed.full().content["run"]

    assert told["can_resume"] is can
    assert told["note"] == hindrance
