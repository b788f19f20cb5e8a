from __future__ import annotations

import numpy as np
import pytest

from manta_nb.errors import MissingTag
from manta_nb.sdk.bytes import numpy_to_bytes
from manta_nb.sdk.world import LAST
from manta_nb.session.curves import Spread
from manta_nb.session.views import (
    GlobalInfo,
    GlobalsView,
    ResultInfo,
    ResultsView,
    RunningNotice,
    spread_text,
)
from tests.session.fake_run import FakeRun

VALUES = {
    "hyperparameters": {"lr": 0.1},
    "model": numpy_to_bytes({"fc1.weight": np.zeros((64, 784), "float32")}),
}


def globals_view(notice=None) -> GlobalsView:
    infos = {"hyperparameters": GlobalInfo(None, 12), "model": GlobalInfo(4, 200_704)}
    return GlobalsView(VALUES.__getitem__, lambda: infos, notice)


def results_view(notice=None) -> ResultsView:
    return ResultsView(
        lambda tag, iteration, latest: {"node_0": (tag, iteration, latest)},
        lambda: {"params": ResultInfo(3, tuple(f"node_{i}" for i in range(8)), 2_000)},
        notice,
    )


def test_globals_are_a_mapping():
    """Tags are iterated, counted, tested and completed; `get` has a default."""
    view = globals_view()

    assert list(view) == ["hyperparameters", "model"] == view._ipython_key_completions_()
    assert len(view) == 2
    assert "model" in view
    assert view["hyperparameters"] == {"lr": 0.1}
    assert view.get("nothing", 5) == 5


def test_globals_are_shown_decoded():
    """The table says what a value is inside its bytes, and which iteration changed it."""
    text = str(globals_view())

    assert "fc1.weight float32 (64, 784)" in text
    assert [line.split()[-3:] for line in text.splitlines()[2:]] == [["start", "12", "B"], ["4", "201", "kB"]]
    assert "fc1.weight float32 (64, 784)" in globals_view()._repr_html_()


def test_a_misspelt_tag_names_the_nearest():
    """One line: which tag, which there are, which was probably meant."""
    with pytest.raises(MissingTag) as caught:
        globals_view()["hyperparamters"]

    assert str(caught.value) == (
        "no Global 'hyperparamters'; there are: hyperparameters, model (did you mean 'hyperparameters'?)"
    )


def test_the_line_of_a_misspelt_tag_stays_short():
    """A long tag among many long tags makes one line of at most 200 characters."""
    infos = {f"{'t' * 90}{number}": GlobalInfo(None, 1) for number in range(50)}
    view = GlobalsView(infos.__getitem__, lambda: infos)

    with pytest.raises(MissingTag) as caught:
        view["x" * 500]

    assert len(str(caught.value)) <= 200


def test_a_value_that_cannot_be_shown_does_not_spoil_the_table():
    """A dropped value shows its reason in its place."""

    def dropped(tag: str) -> object:
        raise MissingTag(f"{tag} was dropped")

    view = GlobalsView(dropped, lambda: {"model": GlobalInfo(2, 10)})

    assert "(model was dropped)" in str(view)


def test_results_are_selected_as_asked():
    """`select` hands on the tag, the iteration and whether the latest of each node is wanted."""
    view = results_view()

    assert view.select("params") == {"node_0": ("params", None, False)}
    assert view.select("params", iteration=2) == {"node_0": ("params", 2, False)}
    assert view.select("params", method=LAST) == {"node_0": ("params", None, True)}
    assert view.tags() == ["params"]


def test_a_result_nobody_wrote_is_an_error_with_the_tags_there_are():
    """A misspelt result tag does not look like an empty result."""
    with pytest.raises(MissingTag, match=r"no Result 'parms'; there are: params \(did you mean 'params'\?\)"):
        results_view().select("parms")


def test_results_are_shown_by_tag_and_nodes():
    """The table has a line a tag: what it is, which nodes, which iteration, how large."""
    text = str(results_view())

    assert "8: node_0, node_1, … node_7" in text
    assert "tuple of 3" in text
    assert "2 kB" in text
    assert str(ResultsView(lambda *_: {}, dict)) == "no Results"


def test_values_of_a_running_run_are_announced_once():
    """The first value taken out says that the run goes on; later ones and those of a run that is over say nothing."""
    said: list[str] = []
    run = FakeRun()
    notice = RunningNotice(run, said.append)
    view, results = globals_view(notice), results_view(notice)

    str(view), view["model"], view["model"], results.select("params")

    assert said == ["fl is running (3 of 20): fl.wait() for the end"]


def test_a_run_that_is_over_announces_nothing():
    """After the end values are final."""
    said: list[str] = []
    run = FakeRun(status="completed")

    globals_view(RunningNotice(run, said.append))["model"]

    assert said == []


def test_a_view_without_a_live_display_is_shown_as_it_is():
    """IPython falls back on text and HTML; with a live display the view is handed to that."""
    shown: list[object] = []
    view = globals_view()

    with pytest.raises(NotImplementedError):
        view._ipython_display_()
    view.live = shown.append
    view._ipython_display_()

    assert shown == [view]


@pytest.mark.parametrize(
    ("spread", "text"),
    [
        (Spread(0.93412, 0.91, 0.9532, 8), "0.9341 (0.91–0.953)"),
        (Spread(0.93412, 0.93412, 0.93412, 1), "0.9341"),
        (Spread(1.0, 1.0, 1.0, 8), "1"),
        (Spread(float("nan"), float("nan"), float("nan"), 0), "nan"),
        (Spread(123456.0, 99999.0, 200000.0, 2), "123456 (99999–200000)"),
    ],
)
def test_spreads_in_words(spread, text):
    """Mean with four digits, the range with three, no range for one node."""
    assert spread_text(spread) == text
