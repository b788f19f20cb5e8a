"""The data that stays of a run, for viewers that have no kernel."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest

from manta_nb.engine.progress import TaskProgress
from manta_nb.engine.records import Event, Failure
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.runjson import MIME, run_json, size
from manta_nb.session.summary import MOST, bundle
from manta_nb.session.thinning import kept, numbers, thin_curve
from tests.session.fake_run import FakeRun, learning_curves

NUMBERS = {"type": "string", "pattern": r"^(-?(\d[\d.e+-]*|nan|inf)( |$))*$"}
COUNT = {"type": "integer", "minimum": 0}


def table(*columns: str) -> dict[str, Any]:
    cells = {"type": "array", "minItems": len(columns), "maxItems": len(columns)}
    return shape(
        columns={"const": list(columns)}, rows={"type": "array", "items": cells, "maxItems": 100}, more=COUNT
    )


def shape(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "maxLength": 4_000}
SCHEMA = shape(
    version={"const": 1},
    run=shape(
        **dict.fromkeys(("run_id", "name", "status", "reason", "error"), TEXT),
        iteration=COUNT,
        iterations={"type": ["integer", "null"]},
        elapsed={"type": "number"},
        started={"type": "number"},
        seed={"type": ["integer", "null"]},
        nodes=COUNT,
        bytes_moved=COUNT,
    ),
    graph={
        "anyOf": [
            {"type": "null"},
            shape(
                tasks={
                    "type": "array",
                    "items": shape(
                        alias=TEXT, label=TEXT, layer=COUNT, row=COUNT, may_stop={"type": "boolean"}
                    ),
                },
                edges={"type": "array", "items": {"type": "array", "items": TEXT, "minItems": 2}},
                bends={
                    "type": "array",
                    "items": shape(source=TEXT, target=TEXT, layer=COUNT, row=COUNT),
                },
                layers=COUNT,
                height=COUNT,
            ),
        ]
    },
    tasks={
        "type": "array",
        "items": shape(alias=TEXT, state=TEXT, placed=COUNT, running=COUNT, done=COUNT, failed=COUNT),
    },
    metrics={
        "type": "array",
        "items": shape(
            name=TEXT,
            lower={"type": "boolean"},
            band=shape(x=NUMBERS, mean=NUMBERS, low=NUMBERS, high=NUMBERS, n=NUMBERS),
            grids={"type": "array", "items": NUMBERS},
            lines={"type": "array", "items": shape(node=TEXT, grid=COUNT, y=NUMBERS), "maxItems": 16},
        ),
    },
    nodes=table("node", "seconds", "bytes_out"),
    globals=table("tag", "type", "changed", "nbytes"),
    results=table("tag", "iteration", "nodes", "nbytes"),
    events=table("iteration", "kind", "message", "node", "task"),
    logs=table("iteration", "node", "task", "level", "text"),
    failure={
        "anyOf": [
            {"type": "null"},
            shape(
                node=TEXT,
                kind=TEXT,
                message=TEXT,
                where=TEXT,
                traceback=TEXT,
                output={"type": "array", "items": TEXT},
            ),
        ]
    },
)

HOSTILE = "<img src=x onerror=alert(1)>\x00\x1b[2J\udcff\u2028😀" * 300


def floats(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def learnt(nodes: int, iterations: int, steps: int = 1) -> FakeRun:
    names = [f"node_{index}" for index in range(nodes)]
    rows = learning_curves(nodes, iterations, steps)
    run = FakeRun(metrics=MetricTable(rows), nodes=names, iterations=iterations)
    run.end(reason="all iterations")
    return run


def hostile() -> FakeRun:
    """Everything that comes from outside is long and means harm."""
    names = [f"{index}{HOSTILE}" for index in range(20)]
    run = FakeRun(
        run_id=HOSTILE,
        name=HOSTILE,
        nodes=names,
        tasks=tuple(TaskProgress(f"{index}{HOSTILE}", 1, 0, 1, 0) for index in range(40)),
        metrics=MetricTable(
            MetricRow(iteration, node, HOSTILE, f"{metric}{HOSTILE}", None, 1e308 * (-1) ** iteration)
            for iteration in range(30)
            for node in names[:4]
            for metric in range(20)
        ),
        logs=LogTable(LogRow(0, names[0], HOSTILE, HOSTILE, HOSTILE) for _ in range(300)),
        events=EventTable(Event(0, HOSTILE, HOSTILE, HOSTILE, HOSTILE) for _ in range(300)),
    )
    failure = Failure(HOSTILE, "error", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,) * 50)
    run.end("failed", error=HOSTILE, reason=HOSTILE, failure=failure)
    return run


def test_the_numbers_come_back():
    """What a viewer reads from the saved text is what was recorded, to five digits."""
    run = learnt(8, 20, steps=3)
    read = json.loads(json.dumps(run_json(run), allow_nan=False))
    jsonschema.validate(read, SCHEMA)
    loss = next(metric for metric in read["metrics"] if metric["name"] == "loss")
    series = run.metrics.series("loss")

    assert loss["lower"]
    assert [line["node"] for line in loss["lines"]] == list(series)
    for line in loss["lines"]:
        x, y = series[line["node"]]
        np.testing.assert_allclose(floats(loss["grids"][line["grid"]]), x, atol=1e-5)
        np.testing.assert_allclose(floats(line["y"]), y, rtol=1e-4)
    curve = run.metrics.by_iteration("loss")
    np.testing.assert_allclose(floats(loss["band"]["mean"]), curve.mean, rtol=1e-4)


def test_everything_of_a_run_is_in_it():
    """Head, graph, tasks, nodes, Globals, events, log lines and the error of a failed run."""
    run = learnt(4, 5)
    run.logs.extend([LogRow(1, "node_0", "worker", "stdout", "epoch 1")])
    run.events.extend([Event(2, "nan", "loss is NaN", "node_1", "worker")])
    failure = Failure("node_1", "error", "ValueError: bad", "Cell In[3], line 4", "x / 0", ("epoch 1",))
    run.end("failed", error="worker failed", failure=failure)
    data = run_json(run)
    jsonschema.validate(data, SCHEMA)

    assert (data["run"]["status"], data["run"]["seed"], data["run"]["bytes_moved"]) == ("failed", 7, 2_200)
    assert [task["alias"] for task in data["graph"]["tasks"]] == ["worker", "aggregator", "scheduler"]
    assert data["graph"]["tasks"][2]["may_stop"]
    assert data["graph"]["edges"] == [["worker", "aggregator"], ["aggregator", "scheduler"]]
    assert data["nodes"]["rows"][0] == ["node_0", 0.0, 0]
    assert data["globals"]["rows"] == [["lr", "0.1", None, 9]]
    assert data["events"]["rows"] == [[2, "nan", "loss is NaN", "node_1", "worker"]]
    assert data["logs"]["rows"] == [[1, "node_0", "worker", "stdout", "epoch 1"]]
    assert data["failure"]["where"] == "Cell In[3], line 4"


def test_many_nodes_are_a_band():
    """Above sixteen nodes there are no lines, and the nodes left out are counted."""
    data = run_json(learnt(40, 10))
    few = run_json(learnt(16, 10))

    assert all(metric["lines"] == [] for metric in data["metrics"])
    assert all(len(metric["lines"]) == 16 for metric in few["metrics"])
    assert len(data["nodes"]["rows"]) + data["nodes"]["more"] == 40


@pytest.mark.parametrize(("nodes", "iterations"), [(8, 1_000), (10_000, 12), (1, 30_000)])
def test_large_runs_fit_and_keep_their_curves(nodes, iterations):
    """However much was recorded, the whole bundle is at most 100 kB, and the curves have points."""
    data = bundle(learnt(nodes, iterations))
    jsonschema.validate(data[MIME], SCHEMA)
    points = [len(floats(metric["band"]["x"])) for metric in data[MIME]["metrics"]]

    assert size(data) <= MOST
    assert len(points) == 2
    assert all(min(iterations, 100) <= count <= 1_000 for count in points)


def test_hostile_text_fits_and_stays_text():
    """Long names of everything are cut; nothing but text and numbers is in it, and all of it can be written."""
    data = bundle(hostile())
    jsonschema.validate(data[MIME], SCHEMA)

    assert size(data) <= MOST
    assert len(json.dumps(data, ensure_ascii=False).encode("utf-8")) <= MOST
    assert "<img src=x" not in data["text/html"]
    assert "\x1b" not in data["text/plain"]


def test_a_running_run_with_hostile_names_stays_small():
    """Saved in mid-run it is no larger."""
    run = hostile()
    run.move(status="running", iterations=50)

    assert size(bundle(run)) <= MOST
    assert "was running at iteration" in bundle(run)["text/html"]


@pytest.mark.parametrize("most", [2_000, 5_000, 10_000, 20_000])
def test_it_takes_what_room_there_is(most):
    """With less room there are fewer points, then no nodes' lines, then fewer metrics."""
    assert size(run_json(learnt(8, 300), most)) <= most


def test_a_run_without_metrics_has_none():
    """Nothing recorded is no error."""
    run = FakeRun(iterations=None)
    run.end("stopped")
    data = run_json(run)
    jsonschema.validate(data, SCHEMA)

    assert data["metrics"] == []


def test_thinning_keeps_the_ends_and_the_peaks():
    """First and last point stay, and a peak that is left out is in the band."""
    run = learnt(3, 100)
    curve = run.metrics.by_iteration("loss")
    curve.high[50] = 99.0
    thin = thin_curve(curve, 10)

    assert floats(thin["x"])[0] == 0
    assert floats(thin["x"])[-1] == 99
    assert max(floats(thin["high"])) == 99.0
    assert min(floats(thin["low"])) == pytest.approx(curve.low.min(), rel=1e-4)
    assert kept(5, 10).tolist() == [0, 1, 2, 3, 4]


def test_numbers_are_short_texts():
    """Whole ones without a point, NaN and infinities in words."""
    read = numbers(np.array([1.0, 0.123456789, math.nan, -math.inf]))

    assert read == "1 0.12346 nan -inf"


def test_a_band_says_of_how_many_nodes_it_is():
    """One number where all iterations have as many nodes, else one for each."""
    run = learnt(40, 10)
    alike = run.metrics.by_iteration("loss")
    run.metrics.extend([MetricRow(10, "node_3", "worker", "loss", None, 0.5)])

    assert thin_curve(alike, 100)["n"] == "40"
    assert floats(thin_curve(run.metrics.by_iteration("loss"), 100)["n"]) == [40] * 10 + [1]
