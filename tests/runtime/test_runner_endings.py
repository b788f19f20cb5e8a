"""The contract of all ways to run a batch in processes: they die, hang or are stopped; every node has an outcome."""

from __future__ import annotations

import threading
import time

import pytest

from manta_nb.runtime.runners.request import Policy
from manta_nb.runtime.workplace import Refused
from tests.runtime.site import Site, indented

pytestmark = pytest.mark.timeout(60)


#: what a process takes to start, where it is a new Python
PATIENT = 2.0

DYING = {
    "import ctypes; ctypes.string_at(0)": "its process died with signal 11 (segmentation fault)",
    "import os; os._exit(3)": "its process ended with exit code 3",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": "its process died with signal 9 (killed)",
    "import os; os.abort()": "its process died with signal 6 (aborted)",
}


@pytest.mark.parametrize("line", DYING)
def test_one_dying_node_keeps_the_others(killer: Site, line: str) -> None:
    """A process that dies is charged to the node whose turn it was; a new one goes on with the rest."""
    played = killer.play(f"print('before')\nw.results.add('ok', w.node_id)\nif w.node_id == 'b':\n    {line}")

    failure = played.failure("b")
    assert (failure.kind, failure.message.startswith(DYING[line])) == ("died", True), failure.message
    assert "before" in failure.output
    assert played.results("ok") == {"a": "a", "c": "c"}


def test_a_crash_is_placed_in_the_users_code(killer: Site) -> None:
    """A segfault names the line of the task that caused it."""
    played = killer.play("import ctypes\nctypes.string_at(0)", nodes=["a"])

    assert played.failure().where == "Cell In[7], line 8"


def test_a_task_that_closes_everything_ends(killer: Site) -> None:
    """A task that closes all descriptors of its process ends the batch with an outcome for every node."""
    played = killer.play("if w.node_id == 'b': __import__('os').closerange(3, 500)\nw.results.add('ok', 1)")

    assert {*played.batch.nodes, *(failure.node_id for failure in played.batch.failures)} == {"a", "b", "c"}
    assert "a" in played.results("ok")


def test_a_batch_whose_every_node_dies_ends(killer: Site) -> None:
    """Each node is charged once, whatever number of processes that takes."""
    played = killer.play("import os; os._exit(1)")

    assert [failure.node_id for failure in played.batch.failures] == ["a", "b", "c"]


ENDLESS = {
    "loop": "while True: pass",
    "sleep": "import time; time.sleep(1e6)",
    "gil": "import ctypes; ctypes.PyDLL(None).usleep(2_000_000_000)",
    "stubborn": "while True:\n    try:\n        while True: pass\n    except: pass",
    "signals": "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(1e6)",
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_turn_over_its_time_is_ended(killer: Site, kind: str) -> None:
    """Whatever the code does, its node is charged when its time is over, and the others keep theirs."""
    body = "w.results.add('ok', 1)\nprint('in')\nif w.node_id == 'b':\n" + indented(ENDLESS[kind])
    began = time.monotonic()
    played = killer.play(body, policy=Policy(timeout=0.5))
    took = time.monotonic() - began

    failure = played.failure("b")
    assert (failure.kind, failure.message) == ("timeout", "over its time limit of 0.5 s")
    assert failure.output == ("in",)
    assert set(played.results("ok")) == {"a", "c"}
    assert took < 0.5 + PATIENT + 2


def test_the_time_of_a_turn_starts_with_the_turn(killer: Site) -> None:
    """Three turns of 0.3 s each stay within a limit of 0.6 s."""
    played = killer.play(
        "import time; end = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass",
        policy=Policy(timeout=0.6),
        run_id="turns",
    )

    assert played.batch.failures == ()
    assert all(0.29 < seconds < 0.6 for seconds in played.batch.seconds.values())


@pytest.mark.parametrize("kind", ENDLESS)
def test_stop_ends_any_code(killer: Site, kind: str) -> None:
    """A stop ends the batch within two seconds whatever the code does; finished nodes are kept, the rest stopped."""
    run_id = f"stop-{kind}"
    running = threading.Event()
    body = "w.results.add('ok', 1)\nif w.node_id == 'b':\n    print('in')\n" + indented(ENDLESS[kind])
    thread, ended = killer.in_background(body, run_id=run_id, hear=lambda lines: running.set())
    assert running.wait(20)
    began = time.monotonic()
    killer.workplace.stop(run_id)
    thread.join(10)
    took = time.monotonic() - began

    [played] = ended
    assert [(f.node_id, f.kind) for f in played.batch.failures] == [("b", "stopped"), ("c", "stopped")]
    assert set(played.results("ok")) == {"a"}
    assert took < 2
    killer.workplace.forget(run_id, ())


def test_a_stopped_run_starts_nothing_more(killer: Site) -> None:
    """A batch that comes after the stop runs no user code."""
    killer.workplace.stop("stopped")
    played = killer.play("print('ran')", run_id="stopped")

    assert {failure.kind for failure in played.batch.failures} == {"stopped"}
    assert played.lines == []
    killer.workplace.forget("stopped", ())


def test_forgetting_a_run_under_way_ends_it(killer: Site) -> None:
    """A run that is over while its batch still runs is given up: no child is left, no further node starts."""
    running = threading.Event()
    thread, ended = killer.in_background(
        "print(w.node_id)\nimport time; time.sleep(1e6)", run_id="over", hear=lambda lines: running.set()
    )
    assert running.wait(20)
    killer.workplace.forget("over", ())
    thread.join(10)

    assert [played.texts() for played in ended] == [["a"]]
    assert "over" not in killer.workplace._children
    with pytest.raises(Refused, match="is over"):
        killer.play("print(1)", run_id="over")


def test_too_much_memory_is_an_error_of_the_task(killer: Site) -> None:
    """Over the limit the task gets a `MemoryError` that names the limit; the other nodes go on."""
    played = killer.play(
        "x = []\nif w.node_id == 'b':\n    while True: x.append(np.ones(20_000_000))\nw.results.add('ok', 1)"
    )

    assert played.failure("b").message.startswith("MemoryError: over the node's memory limit")
    assert played.failure("b").where == "Cell In[7], line 9"
    assert set(played.results("ok")) == {"a", "c"}


def test_memory_below_the_limit_is_there(killer: Site) -> None:
    """Half a gigabyte is fine under a limit of one, node after node."""
    played = killer.play("x = np.ones(60_000_000)\nw.results.add('sum', float(x.sum()))")

    assert played.results("sum") == {"a": 6e7, "b": 6e7, "c": 6e7}
