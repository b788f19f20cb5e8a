"""Whatever a task does, its node stays and says what happened (faults.md §4, rows 10-19, 23, 24, 27)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from manta_nb import Module, Session
from tests.cluster.parts import module, pids
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

MEGABYTE = 1 << 20


class Bad(NamedTuple):
    """What a task does, and what is said of it."""

    body: str
    #: a pattern that the run's one line matches
    says: str
    kind: str = "error"
    #: seconds that one turn may take
    timeout: float | None = None
    #: seconds after which the run must have failed
    within: float = 8


BAD = {
    "endless loop": Bad("while True: pass", r"over its time limit of 0.3 s", "timeout", 0.3),
    "endless sleep": Bad("time.sleep(1e6)", r"ran out of time on node_\d", "timeout", 0.3),
    "holds the GIL": Bad(
        "import ctypes\nctypes.PyDLL(None).usleep(3_000_000_000)", r"over its time limit", "timeout", 0.3
    ),
    "swallows all": Bad(
        "while True:\n    try:\n        time.sleep(1)\n    except:\n        pass",
        r"time limit",
        "timeout",
        0.3,
    ),
    "ignores signals": Bad(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1e6)",
        "limit",
        "timeout",
        0.3,
    ),
    "error": Bad(
        "raise ValueError('no', 7)", r"failed on node_\d at .*work.*, line 11: ValueError: \('no', 7\)"
    ),
    "exit": Bad("raise SystemExit(2)", r"line 11: SystemExit: the task called sys.exit\(2\)"),
    "sys.exit with a text": Bad("import sys\nsys.exit('enough')", r"sys.exit\(enough\)"),
    "interrupt": Bad("raise KeyboardInterrupt", r"line 11: KeyboardInterrupt"),
    "own base": Bad("class Mine(BaseException): pass\nraise Mine('x')", r"line 12: Mine: x"),
    "generator exit": Bad("raise GeneratorExit", r"GeneratorExit"),
    "recursion": Bad("self.run()", r"RecursionError: maximum recursion", within=2),
    "cannot be pickled": Bad(
        "class E(Exception):\n    def __reduce__(self): raise TypeError('no pickle')\nraise E(threading.Lock())",
        r"line 13: E: <unlocked",
    ),
    "no text": Bad(
        "class E(Exception):\n    def __str__(self): raise RuntimeError('no text')\nraise E()", r"line 13: E"
    ),
    "50 MB message": Bad("raise ValueError('x' * 50_000_000)", r"ValueError: x+…"),
    "exception group": Bad(
        "raise ExceptionGroup('both', [ValueError(1), TypeError(2)])", r"ExceptionGroup: both"
    ),
    "segfault": Bad("import ctypes\nctypes.string_at(0)", r"at .*work.*, line 12: .*signal 11", "died"),
    "exit code": Bad("os._exit(3)", r"its process ended with exit code 3", "died"),
    "killed": Bad("os.kill(os.getpid(), 9)", r"its process died with signal 9", "died"),
    "group killed": Bad("os.killpg(0, 9)", r"its process died with signal 9", "died"),
    "memory": Bad("x = bytearray(3 << 30)", r"line 11: MemoryError: over the node's memory limit"),
    "numpy memory": Bad(
        "x = np.ones(3 << 27)", r"line 11: MemoryError: over the node's memory limit.*Unable to allocate 3"
    ),
    "torch memory": Bad(
        "import torch\ntorch.ones(3 << 27)", r"line 12: RuntimeError: over the node's memory limit"
    ),
    "a lock": Bad(
        "world.results.add('x', {'a': [threading.Lock()]})", r"a lock at results.add\('x'\)\[\"a\"\]\[0\]"
    ),
    "a generator": Bad(
        "world.results.add('x', (i for i in ()))", r"cannot send a generator at results.add\('x'\)"
    ),
    "a lambda": Bad("world.globals['x'] = lambda: 1", r"cannot send a function at globals\['x'\]"),
    "objects": Bad("world.results.add('x', np.array([None]))", r"numpy array of dtype object at results.add"),
    "malformed bytes": Bad(
        "from manta_light.utils import bytes_to_numpy\nbytes_to_numpy(b'\\x93NUMPY junk')",
        r"CorruptBytes|npy",
    ),
    "pickled bytes": Bad(
        "import pickle\nfrom manta_light.utils import bytes_to_numpy\nbytes_to_numpy(pickle.dumps([1]))",
        r"bytes are not an array in npy format",
    ),
    "too large": Bad(
        # nothing of it is in memory
        "world.results.add('x', {'w': np.broadcast_to(np.zeros(1, 'u1'), 2**31 + 1)})",
        r"cannot send results.add\('x'\).*limit is 2.15 GB",
    ),
    "metric of an object": Bad(
        "world.metric('loss', object())", r"metric 'loss' must be a number, got <object"
    ),
    "metric of bytes": Bad(
        "world.metric('loss', b'1')", r"metric 'loss' must be a number, got b'1' \(bytes\)"
    ),
    "long metric name": Bad("world.metric('n' * 10_000, 1)", r"a text of 1 to 200 characters, got 'nnn"),
    "bytes as a tag": Bad("world.results.add(b'x', 1)", r"tag of a Result is a text"),
    "closes everything": Bad(
        "os.closerange(0, 4096)\nworld.results.add('x', 1)", r"its process|OSError", "any"
    ),
    "lies on its channel": Bad(
        """
        for fd in range(3, 64):
            try:
                os.write(fd, b"\\0" * 4096)
            except OSError:
                pass
        time.sleep(1e6)
        """,
        r"malformed|its process|time limit",
        "any",
        1,
    ),
}


@pytest.fixture(scope="module")
def session(nothing_left: None) -> Iterator[Session]:
    """Two nodes whose tasks get little memory."""
    with Session(nodes=2, memory_limit="400 MB") as started:
        yield started


@pytest.fixture
def healthy() -> Module:
    """A task that does what it should."""
    return module("print('here')\nworld.results.add('x', np.arange(3))")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_task_is_said_and_its_node_stays(session: Session, healthy: Module, bad: Bad) -> None:
    """The run fails with one line; the same processes run the next task."""
    before = pids(session)
    run = session.run(module(bad.body, timeout=bad.timeout), iterations=1).wait(bad.within, check=False)
    after = session.run(healthy, iterations=1).wait(10)

    assert run.status == "failed"
    assert re.search(bad.says, run.error), run.error
    assert len(run.error) <= 200 and "\n" not in run.error
    assert run.failure is not None and (bad.kind in ("any", run.failure.kind))
    assert len(run.failure.message) <= 2100
    assert pids(session) == before
    assert list(after.results.select("x")) == ["node_0", "node_1"]


def test_an_error_shows_the_frames_of_the_user_and_the_last_output(session: Session) -> None:
    """Cell and line of every own frame, none of ours; and what the task printed before."""
    body = "def inner(x):\n    return 1 / x\nprint('near')\ninner(0)"
    failure = session.run(module(body), iterations=1).wait(10, check=False).failure

    assert failure is not None
    assert failure.message == "ZeroDivisionError: division by zero"
    assert failure.output == ("near",)
    assert "line 14, in run" in failure.traceback and "line 12, in inner" in failure.traceback
    assert "return 1 / x" in failure.traceback
    assert "manta_nb/" not in failure.traceback


def test_stop_ends_what_cannot_be_stopped(session: Session, healthy: Module) -> None:
    """A loop that swallows everything is over within two seconds of `stop()`, and the nodes are as before."""
    before = pids(session)
    body = "world.metric('m', 1)\nwhile True:\n    try:\n        time.sleep(1)\n    except:\n        pass"
    run = session.run(module(body), iterations=1)
    until(lambda: len(run.metrics) == 2)
    start = time.monotonic()
    run.stop()
    took = time.monotonic() - start
    session.run(healthy, iterations=1).wait(10)

    assert run.status == "stopped"
    assert took < 2
    assert pids(session) == before


def test_one_dead_process_is_one_attempt(session: Session) -> None:
    """A segfault is not tried again behind anybody's back: the task ran once on each node."""
    run = session.run(module("print('start')\nos._exit(3)"), iterations=1).wait(10, check=False)
    retried = session.run(module("print('start')\nos._exit(3)", retries=2), iterations=1).wait(
        10, check=False
    )

    assert len(run.logs) == 2
    assert len(retried.logs) == 6


def test_metrics_are_made_plain(session: Session) -> None:
    """Numbers of every kind arrive as floats, too large ones and NaN included."""
    body = """
    world.metric("big", 2**70)
    world.metric("huge", 10**400)
    world.metric("half", np.float32(0.5))
    world.metric("nan", float("nan"))
    world.metric("flag", np.True_)
    world.metric("zero_d", np.array(3))
    world.results.add("metrics", {"loss": [0.5, np.float64(0.25)], "text": "none"})
    """
    run = session.run(module(body), iterations=1).wait(10)
    told: dict[str, Any] = {}
    for row in run.metrics.rows():
        told.setdefault(row.name, []).append((row.step, row.value))

    assert told["big"] == [(None, float(2**70))] * 2
    assert told["huge"] == [(None, float("inf"))] * 2
    assert told["half"] == [(None, 0.5)] * 2
    assert [str(value) for _, value in told["nan"]] == ["nan", "nan"]
    assert told["flag"] == [(None, 1.0)] * 2
    assert told["zero_d"] == [(None, 3.0)] * 2
    assert sorted(told["loss"]) == [(0, 0.5), (0, 0.5), (1, 0.25), (1, 0.25)]
    assert "text" not in told


def test_a_task_may_return_and_print_anything(session: Session) -> None:
    """What `run` returns is not used, and said; odd output does not hurt."""
    body = "print('\\ud800', '\\0', 'x' * 100_000)\nos.write(2, bytes(range(256)))\nreturn threading.Lock()"
    run = session.run(module(body), iterations=1).wait(10)

    assert run.status == "completed"
    assert {event.kind for event in run.events} >= {"returned"}
    assert max(len(row.text) for row in run.logs) <= 10_000
