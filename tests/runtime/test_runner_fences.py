"""The contract of all ways to run a batch: who may run what, what is freed, what is left."""

from __future__ import annotations

import os

import pytest

from manta_nb.runtime.runners.request import BatchRequest
from manta_nb.runtime.workplace import Refused
from tests.runtime.site import Played, Site

pytestmark = pytest.mark.timeout(60)


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
    site.play("with open('mine.txt', 'w') as f: f.write(w.node_id)")

    assert os.getcwd() == before
    assert [(site.folder / node / "mine.txt").read_text() for node in "abc"] == ["a", "b", "c"]
