"""The contract of all ways to run a batch: what a task writes comes home, from every node."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runtime.conftest import name_of
from tests.runtime.site import Site

pytestmark = pytest.mark.timeout(60)


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
        body,
        run_id="state",
        states=states,
        iteration=second.batch.iteration,
        attempt=second.batch.attempt + 1,
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


@pytest.mark.parametrize(
    "value", ["2**70", "np.float32(1)", "float('nan')", "float('-inf')", "True", "10**400"]
)
def test_any_number_is_a_metric(site: Site, value: str) -> None:
    """Numbers of every size and kind are taken; what is too large for a float becomes infinite."""
    played = site.play(f"w.metric('m', {value})", nodes=["a"])

    [(_, _, number, _)] = played.metrics()
    assert isinstance(number, float)
    assert played.batch.failures == ()
