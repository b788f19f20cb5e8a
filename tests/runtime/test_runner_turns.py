"""The contract of all ways to run a batch: every turn starts clean, in a process that is kept for its run."""

from __future__ import annotations

import random

import psutil
import pytest

from manta_nb.engine.seeds import derive_seed
from manta_nb.runtime.runners.request import Policy
from tests.runtime.site import Site, task
from tests.waiting import until

pytestmark = pytest.mark.timeout(60)


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


def test_blas_has_as_many_threads_as_torch(killer: Site) -> None:
    """numpy's own thread pool is limited, too, for what is loaded already and for what is imported later."""
    body = (
        "from threadpoolctl import threadpool_info\nimport os\n"
        "pools = {pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'}\n"
        "w.results.add('x', [sorted(pools), os.environ['OMP_NUM_THREADS']])"
    )

    assert killer.play(body, nodes=["a"]).results("x") == {"a": [[1], "1"]}


def test_seeds_are_each_nodes_own_and_repeatable(site: Site) -> None:
    """random, numpy and torch draw the same for the same (seed, iteration, task, node), and else differ."""
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
    source = task(
        "from .m import seen\nseen.append(1)\nimport os\nw.results.add('x', [len(seen), os.getpid()])",
        files={"m.py": "seen = []"},
    )
    shared = killer.play(source, run_id="modules").results("x")
    alone = killer.play(source, run_id="alone", policy=Policy(isolate=True)).results("x")

    assert [value[0] for value in shared.values()] == [1, 2, 3]
    assert len({value[1] for value in shared.values()}) == 1
    assert [value[0] for value in alone.values()] == [1, 1, 1]
    assert len({value[1] for value in alone.values()}) == 3


def test_a_changed_module_runs_its_new_text(site: Site) -> None:
    """A module that was changed between two batches of a process runs as it is now."""
    results = [
        site.play(
            task(f"from .m import n\nw.results.add('x', [n, {k}])", files={"m.py": f"n = {k}"})
        ).results("x")["a"]
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
