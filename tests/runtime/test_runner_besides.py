"""The contract of all ways to run a batch: what a task does besides, with threads, programs and other processes."""

from __future__ import annotations

import time

import psutil
import pytest

from tests.runtime.conftest import KILLING, Sites
from tests.runtime.site import Site
from tests.waiting import until

pytestmark = pytest.mark.timeout(60)


def test_what_c_code_and_programs_print_is_logged(killer: Site) -> None:
    """Output past Python, of a subprocess for example, is a line of the node whose turn it is."""
    played = killer.play(
        "import os, subprocess\nos.write(1, b'raw\\n')\nsubprocess.run(['sh', '-c', 'echo from sh; printf end'])",
        nodes=["a"],
    )

    assert played.texts("stderr") == ["raw", "from sh", "end"]


def test_a_program_that_prints_a_lot_is_not_held_up(killer: Site) -> None:
    """Two megabytes of output of a subprocess pass in no time, and nothing of it is lost."""
    began = time.monotonic()
    played = killer.play(
        "import subprocess\nsubprocess.run(['seq', '1', '300000'])", nodes=["a"], run_id="much"
    )

    assert len(played.texts("stderr")) == 300_000
    assert time.monotonic() - began < 10
    killer.workplace.forget("much", ())


def test_threads_of_a_task_may_report(site: Site) -> None:
    """Metrics, prints and results of several threads at once all arrive whole."""
    played = site.play(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def work(k):\n    w.metric('m', k)\n    print('x' * 3000)\n"
        "with ThreadPoolExecutor(4) as pool: list(pool.map(work, range(400)))\nw.results.add('ok', 1)",
        nodes=["a"],
    )

    assert sorted(value for _, _, value, _ in played.metrics()) == list(range(400))
    assert [text for text in played.texts() if text != "x" * 3000 and text.strip("x")] == []
    assert played.results("ok") == {"a": 1}


def test_a_task_may_fork(killer: Site) -> None:
    """Processes that a task forks, as data loaders do, print lines; they cannot write, nor keep a batch from ending."""
    played = killer.play(
        "import os, sys, time\npid = os.fork()\nif pid == 0:\n"
        "    print('from the fork')\n"
        "    try: w.results.add('x', 1)\n    except Exception as e: print(e)\n"
        "    sys.stdout.flush(); time.sleep(100); os._exit(0)\n"
        "os.set_inheritable(0, False)\nw.results.add('ok', pid)\nend = time.monotonic() + 10\ntime.sleep(0.2)",
        nodes=["a"],
        run_id="forks",
    )
    dying = killer.play(
        "import os, time\nif os.fork() == 0: time.sleep(100)\nos._exit(4)", nodes=["a"], run_id="forks"
    )
    grandchild = played.results("ok")["a"]

    assert played.texts("stderr") == [
        "from the fork",
        "a process that the task started cannot write: hand the value back to the task",
    ]
    assert dying.failure().message == "its process ended with exit code 4"
    killer.workplace.forget("forks", ())
    until(lambda: gone(grandchild))


def gone(pid: int) -> bool:
    """Whether a process does nothing any more; who its parent is may be slow to collect it."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_task_cannot_end_the_others_for_good(sites: Sites) -> None:
    """Where a task kills the process that starts children, the worker starts another one."""
    for way in (KILLING[0], KILLING[3]):
        site = sites[way]
        played = site.play(
            "import os, time\nw.results.add('ok', 1)\nif w.node_id == 'b': os.kill(os.getppid(), 9); time.sleep(60)",
            run_id="parent",
        )

        assert played.failure("b").kind == "died"
        assert set(played.results("ok")) == {"a", "c"}
        site.workplace.forget("parent", ())
    for way in (KILLING[0], KILLING[3]):
        assert sites[way].play("w.results.add('ok', 1)").batch.nodes == ("a", "b", "c")
