"""Changing Globals while a run goes on, and running a swarm again with other values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from manta_nb import Session
from manta_nb.engine.instructions import EditGlobals
from manta_nb.engine.records import Change
from manta_nb.errors import MissingTag, UsageError, ValueRefused
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import host_tag
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.changing import edit_globals, replaced
from manta_nb.session.controls import knobs
from tests.cluster.parts import Gate, module, waiting
from tests.waiting import until


def swarm(wait: str = "", at: int = -1) -> FlowSwarm:
    """A worker that reads what a second task counts up in the same Global; it waits in iteration `at`."""
    held = "".join(f"\n    {line}" for line in wait.strip().splitlines())
    reads = f"world.metric('lr', world.globals['hyper']['lr'])\nif world.iteration == {at}:\n    pass{held}"
    counts = "hyper = world.globals['hyper']\nhyper['round'] += 1\nworld.globals['hyper'] = hyper"
    flow = module(reads, "worker") >> module(counts, "counter", method="any")
    return FlowSwarm("fl", flow, {"hyper": {"lr": 0.1, "round": 0}})


def labels(values: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    return {knob.label: (knob.kind, knob.value) for knob in knobs(values)}


def test_numbers_are_found_wherever_they_are():
    """In dicts and lists, too, each by its path; arrays, bytes, long texts and None are no controls."""
    found = labels(
        {
            "lr": 0.1,
            "h": {"rounds": 3, "steps": [1, 2], "w": np.zeros(3), "on": True},
            "b": b"x",
            "t": "x" * 99,
            "n": None,
        }
    )

    assert found == {
        "lr": ("number", 0.1),
        "h.rounds": ("whole", 3),
        "h.steps.0": ("whole", 1),
        "h.steps.1": ("whole", 2),
        "h.on": ("switch", True),
    }


def test_there_are_never_too_many():
    """A Global with a thousand numbers is data."""
    assert len(knobs({f"t{i}": {str(j): j for j in range(10)} for i in range(10)})) == 40
    assert knobs({"data": list(range(1000))}) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, (0.01, 1.0)),
        (4, (1.0, 40.0)),
        (0, None),
        (-1.0, None),
        (math.nan, None),
        (math.inf, None),
        (True, None),
    ],
)
def test_a_slider_goes_from_a_tenth_to_ten_times(value, expected):
    """Where that makes no sense there is a field only."""
    [knob] = knobs({"x": value})

    assert knob.range == (pytest.approx(expected) if expected else None)


def test_only_what_is_on_the_way_is_copied():
    """The value that was read stays as it was; kinds of containers stay, too."""
    whole = {"a": (1, {"b": 2}), "c": [3]}

    made = replaced(whole, ("a", 1, "b"), 9)

    assert made == {"a": (1, {"b": 9}), "c": [3]}
    assert whole["a"][1] == {"b": 2}
    assert made["c"] is whole["c"]


def test_changes_are_made_one_after_the_other():
    """Two changes of one Global both hold; what is not there any more is told, and changes nothing."""
    book = SegmentBook(host_tag(shared_values=False), lambda entry: None)
    refs = book.create({"h": {"lr": 0.1, "n": 1}, "w": 5})
    asked = (Change("h", 1, ("lr",)), Change("h", 7, ("n",)), Change("h", 1, ("gone",)), Change("v", 1))

    made = edit_globals(book, EditGlobals(3, refs, asked))

    assert made.told[:2] == ("h.lr: 0.1 → 1", "h.n: 1 → 7")
    assert "h.gone stays as it is: no entry of h 'gone'" in made.told[2]
    assert "v stays as it is: no Global 'v'" in made.told[3]
    assert list(made.globals) == ["h"]
    value = book.value(made.globals["h"])
    assert value == {"lr": 1.0, "n": 7} and isinstance(value["lr"], float)
    book.close()


@pytest.mark.cluster
def test_a_change_holds_from_the_next_iteration_on(session: Session, gate: Gate):
    """The running iteration keeps the old value; what its tasks write in the same Global stays; it is an event."""
    fl = session.run(swarm(gate.wait, 1), iterations=4, nodes=["node_0"])
    until(lambda: bool(waiting(fl)), 20, "nobody waits")

    assert fl.set_global("hyper", 0.05, path=["lr"]) is fl
    gate.open()
    fl.wait(30)

    values = [row.value for row in fl.metrics.rows("lr")]
    assert values == [0.1, 0.1, 0.05, 0.05]
    assert fl.globals["hyper"] == {"lr": 0.05, "round": 4}
    [event] = [event for event in fl.events if event.kind == "change"]
    assert (event.iteration, event.message) == (2, "hyper.lr: 0.1 → 0.05")


@pytest.mark.cluster
def test_mistakes_are_told_at_once(session: Session, gate: Gate):
    """A tag or an entry that is not there, a value that cannot travel, a run that is over: one line each."""
    fl = session.run(swarm(gate.wait, 0), iterations=1, nodes=["node_0"])

    with pytest.raises(MissingTag, match="did you mean 'hyper'"):
        fl.set_global("hypr", 1)
    with pytest.raises(MissingTag, match="no entry of hyper 'lrr'"):
        fl.set_global("hyper", 1, path=["lrr"])
    with pytest.raises(ValueRefused):
        fl.set_global("hyper", object())
    gate.open()
    fl.wait(30)
    with pytest.raises(UsageError, match=r"fl is over: fl.controls\(\) starts it again"):
        fl.set_global("hyper", 1)


@pytest.mark.cluster
def test_a_finished_run_is_started_again_with_other_values(session: Session):
    """The same swarm from its first Globals, with what was set; the old run stays what it was."""
    fl = session.run(swarm(), iterations=3, seed=5).wait(30)
    controls = fl.controls()
    controls.set("hyper.lr", 0.5)

    again = controls.start(iterations=2, nodes=["node_1"]).wait(30)

    assert again.globals["hyper"] == {"lr": 0.5, "round": 2}
    assert (again.seed, again.name, list(again.nodes)) == (5, "fl", ["node_1"])
    assert fl.globals["hyper"] == {"lr": 0.1, "round": 3}
    assert session.runs[-1] is again and controls.run is again


@pytest.mark.cluster
def test_without_widgets_the_controls_say_what_they_offer(session: Session):
    """Each number with its value and range, and what to type."""
    controls = session.run(swarm(), iterations=1, seed=5).wait(30).controls()

    text = str(controls)

    assert "hyper.lr" in text and "0.01 … 1" in text
    assert "iterations 1 · 3 nodes · seed 5 · completed" in text
    assert "hyper.lr" in controls._repr_html_()
    with pytest.raises(UsageError, match="did you mean 'hyper.lr'"):
        controls.set("hyper.lrr", 1)
