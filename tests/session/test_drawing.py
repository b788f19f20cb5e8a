from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from textwrap import dedent

import pytest

from manta_nb.engine.progress import TaskProgress
from manta_nb.sdk.graph import TaskGraph
from manta_nb.session.drawing import GraphView, counts_text, task_state
from manta_nb.session.layout import Bend, lay_out
from tests.session.fake_run import module, seed_graph

PLANNED = {"worker": 8, "aggregator": 1, "scheduler": 1}


def seven_tasks() -> TaskGraph:
    """The figure of the seeds: two branches that run at the same time, and an edge over all of them."""
    names = ("load", "left", "right", "fit_l", "fit_r", "merge")
    load, left, right, fit_l, fit_r, merge = map(module, names)
    start = load()
    merged = merge(fit_l(left(start)), fit_r(right(start)))
    return TaskGraph.build(module("end", stops=True)(merged, start), "seven")


def svg(view: GraphView) -> ET.Element:
    return ET.fromstring(re.search(r"<svg.*</svg>", view._repr_html_(), re.DOTALL)[0])


def texts(element: ET.Element) -> list[str]:
    return [each.text or "" for each in element.iter("{http://www.w3.org/2000/svg}text")]


def test_the_seeds_graph_in_characters():
    """The text form has the loop arrow, the counts and who may stop."""
    drawn = str(GraphView(seed_graph(), planned=lambda: PLANNED))

    assert drawn == dedent("""\
        ┌───────────┐    ┌───────────────┐    ┌──────────────┐
        │ worker ×8 │───>│ aggregator ×1 │───>│ scheduler ×1 │── may stop ──> end
        └───────────┘    └───────────────┘    └──────────────┘
              ^                                      │
              └─────────── next iteration ───────────┘""")


def test_branches_stand_above_each_other():
    """Tasks that may run at the same time share a column, in the order they are written."""
    top, left, right, bottom = map(module, ("a", "b", "c", "d"))
    drawn = str(GraphView(TaskGraph.build(top >> [left, right] >> bottom, "x")))

    assert drawn == dedent("""\
                 ┌───┐
              ┌─>│ b │─┐
        ┌───┐ │  └───┘ │    ┌───┐
        │ a │─┤        ├───>│ d │
        └───┘ │  ┌───┐ │    └───┘
          ^   └─>│ c │─┘      │
          │      └───┘        │
          │                   │
          └─ next iteration ──┘""")


def test_an_edge_over_layers_passes_between_the_tasks():
    """A bend holds its place in each layer it passes, and shares its row with no task there."""
    graph = seven_tasks()
    layout = lay_out(graph.layers(), {task.alias: task.inputs for task in graph.tasks})

    bends = [place for layer in layout.layers for place in layer if isinstance(place, Bend)]

    assert [(bend.source, bend.target, bend.layer) for bend in bends] == [
        ("load", "end", n) for n in (1, 2, 3)
    ]
    for layer in layout.layers:
        rows = [layout.rows[place] for place in layer]
        assert len(set(rows)) == len(rows)
        assert all(abs(one - two) >= 2 for one in rows for two in rows if one != two)


def test_svg_names_every_task_and_the_way_back():
    """The SVG has each task with its count, the loop and the end; it says the same to a screen reader."""
    image = svg(GraphView(seed_graph(), planned=lambda: PLANNED))

    assert texts(image) == ["worker ×8", "aggregator ×1", "scheduler ×1", "next iteration", "end", "may stop"]
    assert image.get("role") == "img"
    assert "worker ×8 (pending), then aggregator ×1" in image.get("aria-label")
    assert "scheduler may stop" in image.get("aria-label")


def test_states_show_in_mark_and_colour():
    """A state is told by a sign, not by colour alone, and the counts of the iteration replace the plan."""
    tasks = (
        TaskProgress("worker", 6, 2, 4),
        TaskProgress("aggregator", 1, 0, 0, 1),
        TaskProgress("scheduler"),
    )
    view = GraphView(seed_graph(), lambda: tasks, lambda: PLANNED)

    assert texts(svg(view))[:3] == ["▸ worker ×6", "✗ aggregator ×1", "scheduler ×1"]
    assert "worker: 4 done, 2 running" in view._repr_html_()
    assert "▸ worker ×6" in str(view)


@pytest.mark.parametrize("graph", [seed_graph, seven_tasks])
def test_a_picture_is_at_most_600_pixels_wide(graph):
    """Wide graphs are scaled and, where letters would get too small, scroll."""
    html = GraphView(graph())._repr_html_()

    assert int(re.search(r"display:block;max-width:(\d+)px", html)[1]) <= 600
    assert "overflow-x:auto" in html


def test_everything_lies_inside_the_picture():
    """No box is cut at the border."""
    image = svg(GraphView(seven_tasks()))
    width, height = map(float, image.get("viewBox").split()[2:])

    for box in image.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, w, h = (float(box.get(key)) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height


def test_the_page_is_not_touched():
    """No script, no style sheet and no id that other outputs could share."""
    html = GraphView(seven_tasks())._repr_html_()

    assert not re.search(r"<script|<style|\sid=|<marker", html)


def test_a_task_that_stops_before_the_end_is_marked():
    """Who may stop is shown wherever it stands."""
    first, check, last = module("first"), module("check", stops=True), module("last")
    view = GraphView(TaskGraph.build(first >> check >> last, "x"))

    assert "check (may stop)" in str(view)
    assert {"end", "may stop"} <= set(texts(svg(view)))


def test_without_a_stop_there_is_no_end():
    """A graph that only iterations end has no arrow to an end."""
    view = GraphView(TaskGraph.build(module("a") >> module("b"), "x"))

    assert "end" not in texts(svg(view))
    assert "end" not in str(view)


def test_two_first_tasks_both_get_the_next_iteration():
    """The loop leads to every task without inputs."""
    drawn = str(GraphView(TaskGraph.build([module("a"), module("b")] >> module("c"), "x")))

    assert drawn.count(">│ a │") == drawn.count(">│ b │") == 1


def test_a_single_task_loops_to_itself():
    """A graph of one task is drawn, too."""
    view = GraphView(TaskGraph.build(module("only")(), "x"))

    assert "next iteration" in str(view)
    assert texts(svg(view)) == ["only", "next iteration"]


def test_a_wide_graph_is_listed_in_a_terminal():
    """What does not fit into 120 columns becomes a line for each task, first things first."""
    modules = [module(f"a_task_with_a_long_name_{number}") for number in range(6)]
    flow = modules[0] >> modules[1] >> modules[2] >> modules[3] >> modules[4] >> modules[5]
    lines = str(GraphView(TaskGraph.build(flow, "x"))).splitlines()

    assert len(lines) == 6
    assert lines[1] == "a_task_with_a_long_name_1  after a_task_with_a_long_name_0"


@pytest.mark.parametrize(
    ("counts", "state", "words"),
    [
        ((0, 0, 0, 0), "pending", "waiting"),
        ((8, 2, 5, 1), "running", "5 done, 2 running, 1 failed"),
        ((8, 0, 8, 0), "done", "8 done"),
        ((8, 0, 7, 1), "failed", "7 done, 1 failed"),
    ],
)
def test_one_word_for_a_task(counts, state, words):
    """Running before failed before done before pending."""
    task = TaskProgress("worker", *counts)

    assert (task_state(task), counts_text(task)) == (state, words)


def test_the_loop_of_one_task_has_room_for_its_label():
    """The picture of a single task is wide enough for the words beside its loop."""
    html = GraphView(TaskGraph.build(module("a")(), "one"))._repr_html_()
    width = float(html.split('viewBox="0 0 ')[1].split()[0])
    start = re.search(r'x="([0-9.]+)"[^>]*>next iteration', html)

    assert start is not None
    assert width >= float(start[1]) + 80
