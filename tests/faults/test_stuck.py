"""Processes below a node that do not answer: no wait for them is without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from manta_nb.errors import NodeError
from manta_nb.runtime import calling
from manta_nb.runtime.calling import first_words
from manta_nb.runtime.runners import supervisor, template
from tests.faults.parts import took
from tests.runtime.site import Site

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=["fork", "exec"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A worker's place of its own, as its template is stopped."""
    with Site.open(tmp_path, request.param, True) as opened:
        yield opened


def test_a_stopped_template_is_replaced(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task stops the process that starts children: the turns under way end, and the next batch gets a new one."""
    monkeypatch.setattr(template, "ANSWER", 1.0)
    site.play("w.results.add('ok', 1)", run_id="before")
    body = (
        "import os, signal\nw.results.add('ok', 1)\n"
        "if w.node_id == 'b':\n    os.kill(os.getppid(), signal.SIGSTOP)\n    os._exit(3)"
    )
    played = site.play(body)
    after = site.play("w.results.add('ok', 1)", run_id="after")

    assert played.failure("b").kind == "died"
    assert set(played.results("ok")) == {"a", "c"}
    assert set(after.results("ok")) == {"a", "b", "c"}


def test_a_child_that_stands_still_before_its_turn(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped between two batches is given up after a while; another one does their turns."""
    monkeypatch.setattr(supervisor, "BETWEEN_TURNS", 0.5)
    before = site.play("import os\nw.results.add('pid', os.getpid())")
    child = psutil.Process(before.results("pid")["a"])
    child.suspend()
    played = site.play("import os\nw.results.add('pid', os.getpid())")

    assert played.batch.failures == ()
    assert set(played.results("pid")) == {"a", "b", "c"}
    assert child.pid not in played.results("pid").values()
    assert not child.is_running()


def test_a_stop_does_not_wait_for_what_stands_still(site: Site) -> None:
    """A task that stops its own process is ended like any other."""
    began = threading.Event()
    thread, ended = site.in_background(
        "import os, signal\nprint('in')\nimport time; time.sleep(0.1)\nos.kill(os.getpid(), signal.SIGSTOP)",
        hear=lambda lines: began.set(),
    )
    assert began.wait(20)
    seconds = took(lambda: (site.workplace.stop("run"), thread.join(10)))

    assert {failure.kind for failure in ended[0].batch.failures} == {"stopped"}
    assert seconds < 2


class Silent:
    """A future whose worker never answers; one that has."""

    def __init__(self, answered: bool) -> None:
        self._answered = answered

    def exception(self, timeout: float) -> None:
        """As Dask's."""
        if not self._answered:
            raise TimeoutError

    def done(self) -> bool:
        """Whether there is an answer."""
        return self._answered


def test_a_worker_that_never_starts_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session does not wait for ever for its nodes: one line says which are missing."""
    monkeypatch.setattr(calling, "MEETING_DEADLINE", 0.1)
    asked = {"worker-0": Silent(True), "worker-1": Silent(False)}
    with pytest.raises(NodeError, match=r"^worker-1 did not start within 0.1 s"):
        first_words(None, asked)  # type: ignore[arg-type]
