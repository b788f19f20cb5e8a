"""What a module's text says it uses, and when the scan must admit that it cannot know."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.sdk.scan import Usage, scan
from manta_nb.sdk.source import read_source, source_from_text

SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm" / "modules"


def usage(body: str, **files: str) -> Usage:
    """The usage of a Task whose run holds these lines."""
    lines = "\n".join("        " + line for line in body.splitlines())
    text = f"import torch\nfrom manta_light.task import Task\nTAG = 'params'\nclass W(Task):\n    def run(self):\n{lines}\n"
    return scan(source_from_text(text, "w", files))


def test_the_seeds_are_understood():
    """Everything the seeds' three modules use is found, and every selection is known."""
    worker, aggregator, scheduler = (
        scan(read_source(SEEDS / name)) for name in ("worker", "aggregator.py", "scheduler.py")
    )

    assert (("mnist_part.npz",), ("global_model_params", "hyperparameters")) == (
        worker.datasets,
        worker.reads,
    )
    assert ("metrics", "model_params") == worker.adds
    assert (("model_params",), ("global_model_params",)) == (aggregator.selects, aggregator.writes)
    assert (("metrics",), ("worker",), True) == (scheduler.selects, scheduler.schedules, scheduler.stops)
    assert [False] * 6 == [
        each for use in (worker, aggregator, scheduler) for each in (use.selects_all, use.writes_all)
    ]


def test_aliases_and_constants_are_followed():
    """Local names of the shared objects and texts named at the top of the file are seen through."""
    found = usage(
        "r = self.world.results\ng = self.world.globals\nr.add(TAG, g['lr'])\n"
        "g[TAG] = r.select(tag='params')\nself.world.metric('acc', 1)\ng.get('extra', 0)\ng['n'] += 1"
    )

    assert ("lr", "extra", "n") == found.reads
    assert (("params", "n"), ("params",), ("params",), ("acc",)) == (
        found.writes,
        found.adds,
        found.selects,
        found.metrics,
    )
    assert not found.selects_all


def test_the_summary_is_the_cards_line():
    """The summary names what is used in the words of the module's card."""
    found = usage(
        "d = self.local.get_numpy_data('digits')\nself.world.results.add('p', self.world.globals['g'])"
    )

    assert "uses digits · reads g · adds p" == found.summary()


@pytest.mark.parametrize(
    "body",
    [
        "self.world.results.select(tag)",
        "self.world.results.select(f'p{1}')",
        "s = self.world.results.select",
        "getattr(self.world, 'results').select('a')",
        "getattr(self, name)",
        "helper(self.world)",
        "helper(results=self.world.results)",
        "helper(self)",
        "return self.world",
        "x = [self.world.results]",
        "exec('x')",
        "vars(self.world)",
        "self.world.results.select(*tags)",
    ],
)
def test_an_uncertain_selection_is_admitted(body: str):
    """Wherever a selection may escape the scan, selects_all is True."""
    assert usage(body).selects_all


@pytest.mark.parametrize(
    "body",
    [
        "getattr(torch.nn, 'ReLU')()",
        "getattr(self, 'model')",
        "isinstance(self, Task)",
        "self.w = self.world\nself.w.results.select('a')",
        "x = self.world.results.select('a', method=1)",
    ],
)
def test_a_certain_selection_stays_certain(body: str):
    """What cannot reach the results does not make the scan uncertain."""
    assert not usage(body).selects_all


def test_code_from_elsewhere_is_uncertain():
    """A main that runs a class of an installed package may select anything."""
    found = scan(source_from_text("from lib import Worker\ndef main():\n    Worker().run()", "w"))

    assert found.selects_all


def test_a_mixin_is_uncertain():
    """A class that uses self.world without being a Task may be anything's base."""
    found = usage(
        "print(1)", **{"mixin.py": "class M:\n    def go(self): return self.world.results.select('a')"}
    )

    assert found.selects_all


def test_computed_writes_are_admitted():
    """A computed tag of add or of a Global sets writes_all."""
    assert usage("self.world.results.add(f'acc_{k}', 1)").writes_all
    assert usage("self.world.globals[name] = 1").writes_all
    assert not usage("self.world.globals['a'] = 1").writes_all


def test_missing_files_are_named():
    """A relative import of a file that is not there is one line with its cure."""
    text = (
        "from .model import MLP\nfrom . import data, helper\nfrom .. import other\ndef main(): print(MLP)\n"
    )

    found = scan(source_from_text(text, "worker", {"helper.py": ""}, {"__init__.py": "Cell In[3]"}))

    assert (
        "Cell In[3], line 1: module worker has no file model.py: write it in a cell: %%module worker --file model.py",
        "Cell In[3], line 2: module worker has no file data.py: write it in a cell: %%module worker --file data.py",
        "Cell In[3], line 3: this import leads out of module worker: it has its own files only",
    ) == found.missing


def test_an_import_that_may_fail_is_not_missing():
    """A relative import inside a try is the author's own affair."""
    text = "try:\n    from .fast import f\nexcept ImportError:\n    f = None\ndef main(): print(f)\n"

    assert () == scan(source_from_text(text, "worker")).missing


def test_deep_code_is_scanned():
    """An expression of a thousand terms does not exhaust the stack of the scan."""
    assert ("a",) == usage("x = " + "+".join(["1"] * 900) + "\nself.world.results.add('a', x)").adds
