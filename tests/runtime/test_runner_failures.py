"""The contract of all ways to run a batch: a task that fails is told, and the other nodes are kept."""

from __future__ import annotations

from typing import Any

import pytest

from manta_nb.runtime.runners.request import Policy
from tests.runtime.site import Site, task

pytestmark = pytest.mark.timeout(60)


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
    played = site.play(
        f"print('before', w.node_id)\nw.results.add('ok', w.node_id)\nif w.node_id == 'b':\n    {line}"
    )

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
    assert "NaN or inf in result 'm': [\"b\"]" in refused.failure("b").message
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
