"""The contract of all ways to run a batch: whatever the task does, every node has its outcome."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from manta_nb.engine.seeds import derive_seed
from manta_nb.runtime.runners.request import BatchRequest, Policy
from manta_nb.runtime.workplace import Refused
from tests.runtime.site import Played, Site, task
from tests.waiting import until

pytestmark = pytest.mark.timeout(60)

WAYS = [
    ("fork", True),
    ("fork", False),
    ("exec", True),
    ("exec", False),
    ("spawn", False),
    ("inline", True),
    ("inline", False),
]
KILLING = [way for way in WAYS if way[0] != "inline"]
#: what a process takes to start, where it is a new Python
PATIENT = 2.0


def name_of(way: tuple[str, bool]) -> str:
    """`fork-shared`."""
    return f"{way[0]}-{'shared' if way[1] else 'transfer'}"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, bool], Site]]:
    """One site a way, started when it is first asked for."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        class Opened(dict[tuple[str, bool], Site]):
            def __missing__(self, way: Any) -> Site:
                folder = tmp_path_factory.mktemp(name_of(way))
                self[way] = stack.enter_context(Site.open(folder, *way, memory=1 << 30))
                return self[way]

        yield Opened()
    assert psutil.Process().children(recursive=True) == []


@pytest.fixture(params=WAYS, ids=name_of)
def site(request: pytest.FixtureRequest, sites: dict[tuple[str, bool], Site]) -> Site:
    """A site of each way to start a child and to carry values."""
    return sites[request.param]


@pytest.fixture(params=KILLING, ids=name_of)
def killer(request: pytest.FixtureRequest, sites: dict[tuple[str, bool], Site]) -> Site:
    """A site of each way whose children are processes."""
    return sites[request.param]


def pids(site: Site) -> list[int]:
    """The children that live."""
    return [child.pid for child in site.workplace._children.values()]


# what a task writes


def test_results_come_home_by_node(site: Site) -> None:
    """Each node's value is found under its name; a second write of a tag replaces the first."""
    played = site.play("w.results.add('x', 0)\nw.results.add('x', {'id': w.node_id, 'a': np.arange(1000)})")

    found = played.results("x")
    assert {node: value["id"] for node, value in found.items()} == {"a": "a", "b": "b", "c": "c"}
    np.testing.assert_array_equal(found["c"]["a"], np.arange(1000))
    assert played.batch.nodes == ("a", "b", "c")
    assert set(played.batch.bytes_out) == {"a", "b", "c"}


def test_a_large_value_comes_home(site: Site) -> None:
    """20 MB a node are the same bytes at the other end."""
    played = site.play("w.results.add('x', np.arange(2_500_000) + ord(w.node_id))")

    for node, value in played.results("x").items():
        assert (int(value[0]), int(value[-1]), len(value)) == (ord(node), 2_499_999 + ord(node), 2_500_000)


def test_globals_are_read_and_written(site: Site) -> None:
    """A task reads what an earlier one wrote, its own writes at once, and the last write counts."""
    first = site.put(lr=0.1, w=np.arange(3.0))
    played = site.play(
        "w.globals['n'] = w.globals['w'].sum() + w.globals['lr']\nw.globals['n'] = [w.globals['n'], w.node_id]\n"
        "print(sorted(w.globals.keys()))",
        after=[first],
    )

    assert played.batch.failures == ()
    assert played.globals() == {"n": [3.1, "c"]}
    assert played.texts(node_id="a") == ["['lr', 'n', 'w']"]
    assert played.batch.contested == ("n",)


def test_results_of_earlier_batches_are_selected(site: Site) -> None:
    """`select` finds the latest iteration that wrote the tag, or the one that is asked for."""
    old, new = (site.play(f"w.results.add('x', np.full(9, {n}))", iteration=10**6 + n) for n in (1, 2))
    played = site.play(
        "x = w.results.select('x')\nw.results.add('sum', {k: float(v.sum()) for k, v in x.items()})\n"
        "w.results.add('old', float(w.results.select('x', iteration=1000001)['b'].sum()))",
        nodes=["c"],
        after=[old, new],
        iteration=10**6 + 3,
    )

    assert played.results("sum") == {"c": {"a": 18, "b": 18, "c": 18}}
    assert played.results("old") == {"c": 9}


def test_what_one_node_changes_in_a_result_no_other_sees(site: Site) -> None:
    """Arrays that were selected are the node's own."""
    first = site.play("w.results.add('x', np.zeros(200_000))", nodes=["a"])
    played = site.play(
        "x = w.results.select('x')['a']\nw.results.add('before', float(x.max()))\nx += 1", after=[first]
    )

    assert played.results("before") == {"a": 0, "b": 0, "c": 0}


def test_metrics_and_logs_are_streamed_in_order(site: Site) -> None:
    """Metrics and lines arrive with their node, in order, numbers as numbers."""
    played = site.play(
        "for k in range(5):\n    w.metric('loss', np.float32(1 / (k + 1)), step=k)\n"
        "print('hi', w.node_id)\nself.logger.info('logged')\nimport sys; print('err', file=sys.stderr)"
    )

    mine = [(name, round(value, 3), step) for node, name, value, step in played.metrics() if node == "b"]
    assert mine == [("loss", 1, 0), ("loss", 0.5, 1), ("loss", 0.333, 2), ("loss", 0.25, 3), ("loss", 0.2, 4)]
    assert (played.texts("stdout", "b"), played.texts("INFO", "b"), played.texts("stderr", "b")) == (
        ["hi b"],
        ["logged"],
        ["err"],
    )


def test_nothing_of_a_flood_is_lost(site: Site) -> None:
    """10,000 metrics of one task all arrive, in bundles."""
    bundles: list[int] = []
    played = site.play(
        "for k in range(10_000):\n    w.metric('m', k)",
        nodes=["a"],
        hear=lambda lines: bundles.append(len(lines)),
    )

    assert [value for _, _, value, _ in played.metrics()] == list(range(10_000))
    assert max(bundles) <= 256


def test_lines_arrive_while_the_task_runs(site: Site) -> None:
    """A metric is heard before the task that recorded it ends: the task waits for that."""
    signal = site.folder / f"heard-{name_of((site.start, site.shared))}"
    played = site.play(
        f"import os, time\nw.metric('early', 1)\nend = time.monotonic() + 20\n"
        f"while not os.path.exists({str(signal)!r}) and time.monotonic() < end: time.sleep(0.001)\n"
        f"w.results.add('heard', os.path.exists({str(signal)!r}))",
        nodes=["a"],
        hear=lambda lines: signal.touch(),
    )

    assert played.results("heard") == {"a": True}


def test_state_stays_on_the_node_and_is_rolled_back(site: Site) -> None:
    """A turn starts from the version it is given, whatever a turn that did not count wrote."""
    body = "s = self.local.state\ns['n'] = s.get('n', 0) + 1\nw.results.add('n', s['n'])"
    first = site.play(body, run_id="state")
    states = dict.fromkeys(first.batch.stateful, site.version(first))
    second = site.play(body, run_id="state", states=states)
    again = site.play(
        body, run_id="state", states=states, iteration=second.batch.iteration, attempt=second.batch.attempt + 1
    )

    assert first.batch.stateful == ("a", "b", "c")
    assert (second.results("n"), again.results("n")) == ({"a": 2, "b": 2, "c": 2}, {"a": 2, "b": 2, "c": 2})


def test_the_state_of_a_failed_turn_is_not_kept(site: Site) -> None:
    """A task that changed the state and then raised leaves no version."""
    played = site.play("self.local.state['n'] = 1\nif w.node_id == 'b': 1 / 0")

    assert played.batch.stateful == ("a", "c")


def test_schedule_and_stop_are_told(site: Site) -> None:
    """The nodes of the next iteration and the wish to stop reach the kernel; the last call for an alias counts."""
    played = site.play(
        "w.schedule_next_iter(['a', 'c'], 't')\nw.schedule_next_iter(['b'], 't')\n"
        "w.schedule_next_iter(['c'], 'u')\nif w.node_id == 'b': w.stop_swarm()",
        aliases=["t", "u"],
    )

    assert played.batch.schedule == {"t": ("b",), "u": ("c",)}
    assert played.batch.stop == "b"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("w.schedule_next_iter(['a'], 'tt')", "no task 'tt'; there is: t (did you mean 't'?)"),
        ("w.schedule_next_iter(['z'], 't')", "no node 'z'; there are: a, b, c"),
        ("w.schedule_next_iter([], 't')", "got no node"),
        ("w.globals['lrr']", "no Global 'lrr'; there are: none"),
        ("w.results.select('x', iteration=10**9)", "is in the future"),
        ("w.metric('m', 'much')", "must be a number"),
        ("w.metric('x' * 10_000, 1)", "1 to 200 characters"),
        ("w.metric('m', object())", "must be a number"),
        ("w.metric('m', b'1')", "must be a number"),
    ],
)
def test_a_mistake_is_told_at_the_call(site: Site, call: str, message: str) -> None:
    """What the world refuses is one line with the place of the call; the other nodes go on."""
    played = site.play(f"if w.node_id == 'a':\n    {call}\nw.results.add('x', 1)")

    assert message in played.failure().message
    assert played.failure().where == "Cell In[7], line 8"
    assert played.batch.nodes == ("b", "c")


@pytest.mark.parametrize("value", ["2**70", "np.float32(1)", "float('nan')", "float('-inf')", "True", "10**400"])
def test_any_number_is_a_metric(site: Site, value: str) -> None:
    """Numbers of every size and kind are taken; what is too large for a float becomes infinite."""
    played = site.play(f"w.metric('m', {value})", nodes=["a"])

    [(_, _, number, _)] = played.metrics()
    assert isinstance(number, float)
    assert played.batch.failures == ()


# how a task fails

FAILING = {
    "1 / 0": "ZeroDivisionError: division by zero",
    "raise ValueError('a', 2)": "ValueError: ('a', 2)",
    "raise SystemExit(2)": "SystemExit: the task called sys.exit(2)",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise type('Own', (BaseException,), {})('mine')": "Own: mine",
    "(lambda f: f(f))(lambda f: f(f))": "RecursionError: maximum recursion depth exceeded",
    "raise type('Bad', (Exception,), {'__str__': lambda s: 1 / 0})()": "Bad: (its message cannot be printed)",
    "raise type('Bad', (Exception,), {'__reduce__': lambda s: 1 / 0})('x')": "Bad: x",
    "raise ValueError('x' * 50_000_000)": "ValueError: xxxxx",
    "import absent_package": "ModuleNotFoundError: No module named 'absent_package'",
    "w.results.add('x', lambda: 1)": "cannot send a function at results.add('x')",
    "w.results.add('x', (k for k in 'ab'))": "cannot send a generator at results.add('x')",
    "import threading; w.results.add('x', {'l': threading.Lock()})": "cannot send a lock at results.add('x')[\"l\"]",
    "w.results.add('x', np.array([object()]))": "cannot send a numpy array of dtype object",
    "w.globals['x'] = self": "cannot send a T at globals['x']",
    "self.local.state['x'] = object()": "cannot send an object at local.state",
    "from .absent import x": "No module named",
}


@pytest.mark.parametrize("line", FAILING)
def test_one_bad_node_keeps_the_others(site: Site, line: str) -> None:
    """A task that fails on one node is told with type, place and last output; the other nodes' values count."""
    played = site.play(f"print('before', w.node_id)\nw.results.add('ok', w.node_id)\nif w.node_id == 'b':\n    {line}")

    failure = played.failure("b")
    assert failure.message.startswith(FAILING[line]) or FAILING[line] in failure.message
    assert (failure.kind, len(failure.message) < 2100) == ("error", True)
    assert failure.where.startswith("Cell In[7], line ") or "state" in line
    assert failure.output == ("before b",)
    assert played.results("ok") == {"a": "a", "c": "c"}
    assert played.batch.nodes == ("a", "c")


def test_a_module_that_cannot_be_imported_fails_on_every_node(site: Site) -> None:
    """An error at import is told for each node with its line."""
    played = site.play(task("pass", "broken", {"m.py": "x = 1 / 0"}).__class__(**_importing_broken()))

    assert [(f.node_id, f.message, f.where) for f in played.batch.failures] == [
        (node, "ZeroDivisionError: division by zero", "m.py, line 1") for node in "abc"
    ]


def _importing_broken() -> dict[str, Any]:
    made = task("pass\nprint(1)", "broken", {"m.py": "x = 1 / 0"})
    files = {**made.files, "__init__.py": "from .m import x\n" + made.files["__init__.py"]}
    return {**{key: getattr(made, key) for key in made.__dataclass_fields__}, "files": files, "version": "v2"}


def test_nan_is_told_or_refused(site: Site) -> None:
    """NaN or inf in an array is a note with tag and path, or with on_nan="refuse" the failure of that node."""
    body = "w.results.add('m', {'w': np.ones(3), 'b': np.array([1.0, np.inf if w.node_id == 'b' else 1])})"
    told, refused = site.play(body), site.play(body, policy=Policy(on_nan="refuse"))

    assert told.told.notes == (("nan", "b", "NaN or inf in result 'm': [\"b\"]"),)
    assert told.batch.nodes == ("a", "b", "c")
    assert "results.add('m')[\"b\"]" in refused.failure("b").message
    assert refused.batch.nodes == ("a", "c")


def test_a_value_over_the_limit_is_refused_before_it_is_copied(site: Site) -> None:
    """One byte too many, and two gigabytes, are refused by their size; the process does not grow for it."""
    body = (
        "import resource\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for size in (1_000_001, 2_100_000_000):\n"
        "    value = np.broadcast_to(np.zeros(1, np.uint8), size)\n"
        "    for put in (lambda v: w.results.add('x', v), lambda v: w.globals.__setitem__('x', v)):\n"
        "        try: put(value)\n        except Exception as e: print(e)\n"
        "w.results.add('grown', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        "w.results.add('x', np.zeros(900_000, np.uint8))"
    )
    played = site.play(body, nodes=["a"], policy=Policy(max_value_bytes=1_000_000))

    assert [text.partition(": ")[0] for text in played.texts()] == [
        "cannot send results.add('x')",
        "cannot send globals['x']",
        "cannot send results.add('x')",
        "cannot send globals['x']",
    ]
    assert all("the limit is 1 MB" in text for text in played.texts())
    assert played.results("grown")["a"] < 20_000  # kB
    assert len(played.results("x")["a"]) == 900_000


# how a task's process dies

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
    body = "w.results.add('ok', 1)\nprint('in')\nif w.node_id == 'b':\n" + _indented(ENDLESS[kind])
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


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


@pytest.mark.parametrize("kind", ENDLESS)
def test_stop_ends_any_code(killer: Site, kind: str) -> None:
    """A stop ends the batch within two seconds whatever the code does; finished nodes are kept, the rest stopped."""
    run_id = f"stop-{kind}"
    running = threading.Event()
    body = "w.results.add('ok', 1)\nif w.node_id == 'b':\n    print('in')\n" + _indented(ENDLESS[kind])
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


# a clean start for every turn

LITTER = """
import os, random, sys, torch
w.results.add('found', [
    os.environ.get('LITTER', 'clean'), os.getcwd() == str(FOLDER / w.node_id), str(torch.get_default_dtype()),
    torch.get_num_threads(), random.random(), float(np.random.rand()), float(torch.rand(1)),
])
os.environ['LITTER'] = 'left'
os.chdir('/')
torch.set_default_dtype(torch.float64)
torch.set_num_threads(3)
random.seed(1)
sys.stdout = None
"""


def test_every_turn_starts_clean(site: Site) -> None:
    """Environment, working folder, default dtype, threads and streams of one turn do not reach the next."""
    body = LITTER.replace("FOLDER", f"__import__('pathlib').Path({str(site.folder)!r})")
    site.play("import torch\nprint(torch.__version__)")
    first, second = (site.play(body).results("found") for _ in range(2))

    for found in (first, second):
        assert [value[:4] for value in found.values()] == [["clean", True, "torch.float32", 1]] * 3


def test_seeds_are_each_nodes_own_and_repeatable(site: Site) -> None:
    """random, numpy and torch draw the same for the same (seed, iteration, task, node), and else differ."""
    import random

    body = "import random, torch\nw.results.add('x', [random.random(), float(np.random.rand()), float(torch.rand(1))])"
    first, again, other = (
        site.play(body, iteration=777_000, attempt=attempt, seed=seed).results("x")
        for attempt, seed in ((0, 5), (1, 5), (2, 6))
    )
    random.seed(derive_seed(5, 777_000, "t", "a"))

    assert first == again
    assert first["a"][0] == random.random()
    assert len({str(draw) for draws in (*first.values(), *other.values()) for draw in draws}) == 18


def test_modules_live_as_long_as_their_process(killer: Site) -> None:
    """The turns of one process share module-level variables; with isolate each node has a process of its own."""
    source = task("from .m import seen\nseen.append(1)\nimport os\nw.results.add('x', [len(seen), os.getpid()])", files={"m.py": "seen = []"})
    shared = killer.play(source, run_id="modules").results("x")
    alone = killer.play(source, run_id="alone", policy=Policy(isolate=True)).results("x")

    assert [value[0] for value in shared.values()] == [1, 2, 3]
    assert len({value[1] for value in shared.values()}) == 1
    assert [value[0] for value in alone.values()] == [1, 1, 1]
    assert len({value[1] for value in alone.values()}) == 3


def test_a_changed_module_runs_its_new_text(site: Site) -> None:
    """A module that was changed between two batches of a process runs as it is now."""
    results = [
        site.play(task(f"from .m import n\nw.results.add('x', [n, {k}])", files={"m.py": f"n = {k}"})).results("x")["a"]
        for k in (1, 2, 1)
    ]

    assert results == [[1, 1], [2, 2], [1, 1]]


def test_the_child_is_kept_for_its_run(killer: Site) -> None:
    """Batches of one run use one process, another run has its own, and a dead one is replaced."""
    body = "import os; w.results.add('pid', os.getpid())"
    first, second = (killer.play(body, run_id="kept").results("pid")["a"] for _ in range(2))
    other = killer.play(body, run_id="other").results("pid")["a"]
    killer.play("import os; os._exit(1)", run_id="kept", nodes=["a"])
    replaced = killer.play(body, run_id="kept").results("pid")["a"]

    assert first == second
    assert len({first, other, replaced}) == 3
    killer.workplace.forget("kept", ())
    killer.workplace.forget("other", ())
    until(lambda: not psutil.pid_exists(replaced))


# what a task does besides


def test_what_c_code_and_programs_print_is_logged(killer: Site) -> None:
    """Output past Python, of a subprocess for example, is a line of the node whose turn it is."""
    played = killer.play(
        "import os, subprocess\nos.write(1, b'raw\\n')\nsubprocess.run(['sh', '-c', 'echo from sh; printf end'])", nodes=["a"]
    )

    assert played.texts("stderr") == ["raw", "from sh", "end"]


def test_a_program_that_prints_a_lot_is_not_held_up(killer: Site) -> None:
    """Two megabytes of output of a subprocess pass in no time, and nothing of it is lost."""
    began = time.monotonic()
    played = killer.play("import subprocess\nsubprocess.run(['seq', '1', '300000'])", nodes=["a"], run_id="much")

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
    dying = killer.play("import os, time\nif os.fork() == 0: time.sleep(100)\nos._exit(4)", nodes=["a"], run_id="forks")
    grandchild = played.results("ok")["a"]

    assert played.texts("stderr") == [
        "from the fork",
        "a process that the task started cannot write: hand the value back to the task",
    ]
    assert dying.failure().message == "its process ended with exit code 4"
    killer.workplace.forget("forks", ())
    until(lambda: not psutil.pid_exists(grandchild))


def test_a_task_cannot_end_the_others_for_good(sites: dict[tuple[str, bool], Site]) -> None:
    """Where a task kills the process that starts children, the worker starts another one."""
    for way in KILLING[:4]:
        site = sites[way]
        played = site.play("import os, time\nw.results.add('ok', 1)\nif w.node_id == 'b': os.kill(os.getppid(), 9); time.sleep(60)", run_id="parent")

        assert played.failure("b").kind == "died"
        assert set(played.results("ok")) == {"a", "c"}
        site.workplace.forget("parent", ())
    for way in KILLING[:4]:
        assert sites[way].play("w.results.add('ok', 1)").batch.nodes == ("a", "b", "c")


# who may run what


def test_a_node_of_another_worker_is_refused(site: Site) -> None:
    """User code of a node never starts where the node does not live."""
    with pytest.raises(Refused, match="node z is not hosted|z is not hosted by w0"):
        site.play("print('ran')", nodes=["a", "z"])


def test_an_attempt_starts_once(site: Site) -> None:
    """A second start of the same attempt is refused, also while another run is busy; the next attempt is not."""
    site.play("pass\nprint(1)", iteration=5_000_000, run_id="zzz")
    site.play("pass\nprint(1)", iteration=5_000_000, run_id="aaa")

    for run_id in ("zzz", "aaa"):
        with pytest.raises(Refused, match="was started here before"):
            site.play("pass\nprint(1)", iteration=5_000_000, run_id=run_id)
        assert site.play("print(1)", iteration=5_000_000, run_id=run_id, attempt=1).batch.failures == ()
        site.workplace.forget(run_id, ())


def test_a_lost_value_is_told_with_its_key(site: Site) -> None:
    """A task whose input is gone has neither finished nor failed, also where it swallows the error."""
    first = site.play("w.results.add('x', np.zeros(10))", nodes=["a"])
    assert first.told.place is not None
    site.workplace.shelf.release([first.told.place.key])
    plain = site.play("w.results.select('x')", after=[first], nodes=["a"])
    swallowed = site.play(
        "try: w.results.select('x')\nexcept BaseException: pass\nif w.node_id == 'b': 1 / 0", after=[first]
    )

    assert plain.told.lost == {first.told.place.key: ("a",)}
    assert swallowed.told.lost == {first.told.place.key: ("a", "b", "c")}
    assert (plain.batch.nodes, plain.batch.failures, swallowed.batch.failures) == ((), (), ())


def test_segments_are_freed(site: Site) -> None:
    """What the kernel releases is gone from the worker."""
    played = site.play("w.results.add('x', np.zeros(10))", nodes=["a"])
    assert played.told.place is not None
    key = played.told.place.key
    before = site.workplace.shelf.get(key)
    request = played.request
    site.execute(BatchRequest(**{**vars(request), "release": (key,), "attempt": 1}))

    assert (before is not None, site.workplace.shelf.get(key)) == (True, None)


def test_a_batch_leaves_no_descriptor_open(killer: Site) -> None:
    """Twenty batches, some of which die, leave as many descriptors open as before, once their values are freed."""

    def batch(number: int) -> Played:
        return killer.play(f"w.results.add('x', 1)\nif {number} % 5 == 4: __import__('os')._exit(1)")

    batch(0)
    killer.workplace.discard("run")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        played = batch(number)
        if played.told.place is not None:
            killer.workplace.shelf.release([played.told.place.key])
    killer.workplace.discard("run")

    assert len(os.listdir("/proc/self/fd")) == before


def test_the_working_folder_is_the_nodes_own(site: Site) -> None:
    """A file that a task writes by a bare name lies in its node's folder; the worker stays where it is."""
    before = os.getcwd()
    site.play("open('mine.txt', 'w').write(w.node_id)")

    assert os.getcwd() == before
    assert [(site.folder / node / "mine.txt").read_text() for node in "abc"] == ["a", "b", "c"]
