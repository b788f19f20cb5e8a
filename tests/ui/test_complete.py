"""Tab on the line of a magic."""

from __future__ import annotations

import statistics
import time

import pytest
from IPython.core.completer import provisionalcompleter

from manta_nb.ui.complete import suggestions
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
