"""Tab on the line of a magic, and in the body below it."""

from __future__ import annotations

import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter

from manta_nb.ui.complete import complete_cell, find, suggestions
from manta_nb.ui.panel.sources import Bare
from tests.ui.fakes import Shell
from tests.ui.texts import AGGREGATOR, FLOW, SCHEDULER, START, WORKER


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Nodes, modules, a run and a Swarm class."""
    shell.ok(
        START,
        WORKER,
        AGGREGATOR,
        SCHEDULER,
        FLOW,
        "from manta_nb.sdk.swarm import Swarm\nclass FLSwarm(Swarm): ...",
    )
    return shell


def tab(shell: Shell, text: str) -> list[str]:
    """What Tab offers at `|`, as the whole lines that it makes."""
    before, _, after = text.partition("|")
    with provisionalcompleter():
        found = list(shell.ip.Completer.completions(before + after, len(before)))
    return [before[: each.start] + each.text for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%manta st|", ["%manta start", "%manta stop"]),
        ("s = %manta sto|", ["s = %manta stop"]),
        ("%manta start --no|", ["%manta start --nodes"]),
        ("%manta start --nodes 8 --partition d|", ["%manta start --nodes 8 --partition dirichlet"]),
        ("%manta start --partition=sh|", ["%manta start --partition=shards"]),
        ("%manta start --data br|", ["%manta start --data breast_cancer"]),
        ("%manta stop |", ["%manta stop fl", "%manta stop --help"]),
        ("%manta res|", ["%manta resume", "%manta results"]),
        (
            "%manta resume |",
            [
                "%manta resume fl",
                "%manta resume --code",
                "%manta resume --iterations",
                "%manta resume --help",
            ],
        ),
        ("%manta run FL|", ["%manta run FLSwarm"]),
        ("%manta logs --node node_7|", ["%manta logs --node node_7"]),
        ("%manta globals --tag l|", ["%manta globals --tag lr"]),
        ("%manta results --tag model|", ["%manta results --tag model_params"]),
        ("%manta modules --forget ag|", ["%manta modules --forget aggregator"]),
        ("%%module worker --al|\nimport torch\n", ["%%module worker --all"]),
        ("%%module worker --nodes node_0,node_1|\n", ["%%module worker --nodes node_0,node_1"]),
        ("%%module work|\n", ["%%module worker"]),
        ("%%swarm fl --it|\nworker >> aggregator", ["%%swarm fl --iterations"]),
        ("%%swarm fl --iterations 3 --w|\n", ["%%swarm fl --iterations 3 --wait"]),
    ],
)
def test_tab_offers_what_can_be_typed(ready: Shell, text: str, expected: list[str]) -> None:
    """Verbs, options, their values and the notebook's names, also on the first line of a cell of many."""
    assert sorted(tab(ready, text)) == sorted(expected)


def test_the_body_completes_as_python(ready: Shell) -> None:
    """Below the first line nothing of ours stands in the way."""
    assert "aggregator" in [each.split()[-1] for each in tab(ready, "%%swarm fl\nworker >> aggreg|")]


def test_an_option_is_offered_once(ready: Shell) -> None:
    """What stands on the line already is not offered again."""
    assert "--nodes" not in (suggestions("%manta start --nodes 8 ", ready.notebook) or [])


@pytest.mark.parametrize("line", ["x = 1", "%time manta", "%manta start # --no", "%%modules x"])
def test_other_lines_are_left_alone(ready: Shell, line: str) -> None:
    """Ordinary lines and comments are none of our business."""
    assert suggestions(line, ready.notebook) is None


def test_it_answers_at_once(ready: Shell) -> None:
    """The whole of IPython's completion takes milliseconds on our lines, as nothing else is asked."""
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        tab(ready, "%manta start --no|")
        taken.append(time.perf_counter() - start)

    assert statistics.median(taken) < 0.02


def offered(shell: Shell, text: str) -> list[str]:
    """What a page is offered at `|`."""
    before, _, after = text.partition("|")
    found = find(before + after, len(before), shell.notebook)
    return [] if found is None else [offer.text for offer in found.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('fl.globals["|', ["lr"]),
        ("fl.globals['l|", ["lr"]),
        ('fl.globals.get("l|")', ["lr"]),
        ('x = fl.results.select("|")', ["model_params"]),
        ('fl.results["mod|"]', ["model_params"]),
        ('fl.metrics.plot("val|")', ["val_acc"]),
        ('fl.plot("l|")', ["loss"]),
        ('worker.try_on("node_1|")', ["node_1"]),
        ('manta_nb.runs["f|"]', ["fl"]),
        ('%%module worker\nself.world.globals["l|"]', ["lr"]),
        ('%%module worker\nself.world.results.select("mod|")', ["model_params"]),
        ('%%module worker\nself.world.metric("val|", 1)', ["val_acc"]),
        ('%%module worker\nself.local.get_numpy_data("dig|")', ["digits"]),
        ('%%module worker\nself.world.schedule_next_iter(node_ids=["node_7|"])', ["node_7"]),
        (
            '%%module worker\nself.world.schedule_next_iter(x, task_to_schedule_alias="ag|")',
            ["aggregator"],
        ),
        ('%%swarm two\nset_global("l|", 1)', ["lr"]),
        ('%%swarm two\nset_global(tag="l|", value=1)', ["lr"]),
        ("%%swarm two\nworker >> ag|", ["aggregator"]),
        ("%%swarm two\nworker >> [aggregator, sch|", ["scheduler"]),
        ("%%swarm two\nx = 1\nwor|", ["worker"]),
    ],
)
def test_names_are_offered_in_the_body(ready: Shell, text: str, expected: list[str]) -> None:
    """Inside quotes the tags, metrics, datasets, nodes and runs that can stand there; modules in a flow."""
    assert offered(ready, text) == expected
    assert sorted(each for each in tab(ready, text) if each.endswith(tuple(expected)))


def test_a_cell_knows_its_own_tags(shell: Shell) -> None:
    """What the same cell adds under a tag can be selected, also before it ever ran; what is being typed is no tag."""
    text = """%%module worker
self.world.results.add("gradient", 1)
self.world.results.select("gra|")"""

    assert offered(shell, text) == ["gradient"]
    assert offered(shell, '%%module worker\nself.world.results.select("gra|")') == []


@pytest.mark.parametrize(
    "text",
    [
        'G.nodes["|',
        'globals()["|',
        'd = {}; d.globals["|',
        'x = "gl|',
        'show("globals[|',
        "worker >> |",
        "%%time\nworker >> |",
        'fl.globals["nothing of that name|',
    ],
)
def test_ordinary_cells_are_left_alone(ready: Shell, text: str) -> None:
    """Where nothing says that it is about a run, a session or a module, everything is as it was."""
    assert offered(ready, text) == []


def test_each_offer_says_what_it_is(ready: Shell) -> None:
    """Options come with their help and default, tags with the run or module that they are of."""
    options = {offer.text: offer for offer in find("%%module w --", 13, ready.notebook).items}
    tags = {offer.text: offer for offer in find('fl.globals["', 12, ready.notebook).items}

    assert options["--retries"].help == "tries again on a node where it failed (0)"
    assert options["--retries"].kind == "option"
    assert (tags["lr"].kind, tags["lr"].help) == ("tag", "a Global of fl")


def test_a_page_counts_in_its_own_units(ready: Shell) -> None:
    """A character beyond the first 65,536 counts two, in what a page asks and in what it is told."""
    text = "%%module w\n# 🐝🐝\nself.world.globals['l"
    found = complete_cell(text, len(text) + 2, ready.notebook)

    assert [offer.text for offer in found.items] == ["lr"]
    assert (found.start, found.end) == (len(text) + 1, len(text) + 2)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["%%module ", "\n", 'globals["', " >> ", "--", "🐝", "\ud800", "%manta "])
    ).map("".join),
    st.integers(-5, 300),
)
def test_nothing_that_is_typed_is_an_error(text: str, at: int) -> None:
    """Whatever stands in a cell and wherever the cursor is, the answer lies within the text."""
    found = complete_cell(text, at, Bare())

    assert 0 <= found.start <= found.end <= len(text.encode("utf-16-le", "surrogatepass")) // 2
