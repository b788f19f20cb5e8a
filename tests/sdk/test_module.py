"""`Module`: what it accepts, what it refuses, and what it says about itself."""

from __future__ import annotations

import inspect
import math
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.errors import DefinitionError
from manta_nb.sdk.module import Module
from manta_nb.sdk.options import Options
from manta_nb.sdk.source import MAIN, module_base

SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm"
WORKER = """
from manta_light.task import Task
from .model import MLP
class Worker(Task):
    def run(self):
        d = self.local.get_numpy_data("digits")
        self.world.results.add("model_params", self.world.globals["global_model_params"])
"""


def worker(**options: Any) -> Module:
    """The worker of a notebook, made of two cells."""
    return Module.from_source(
        WORKER,
        name="worker",
        files={"model.py": "class MLP: ...\n"},
        origins={MAIN: "Cell In[3]", "model.py": "Cell In[2]"},
        **options,
    )


def test_the_seeds_call_is_understood():
    """The positional order of generation A: path, image, then placement by name."""
    module = Module(SEEDS / "modules/aggregator.py", "fl:latest", "any", False, None, None, 1, "agg")

    assert ("aggregator", "agg", "fl:latest", 1) == (module.name, module.alias, module.image, module.maximum)


def test_a_path_is_tried_from_the_base_folder():
    """While a swarm file is loaded, its folder is tried after the working directory."""
    token = module_base.set(SEEDS)
    try:
        module = Module("modules/worker")
    finally:
        module_base.reset(token)

    assert "worker" == module.alias
    assert module.where.endswith("modules/worker/worker_task.py")


def test_the_card_is_one_line():
    """The text form of a module is the line of its card."""
    assert (
        "worker v2 · Worker.run (In[3]), model.py (In[2]) · every node with data · "
        "uses digits · reads global_model_params · adds model_params"
    ) == repr(worker(method="all", revision=2))


def test_the_html_shows_the_files_escaped():
    """The HTML form has the line of the card and every file, with markup escaped."""
    module = Module.from_source("def main():\n    print('<b>')", name="bold")

    assert "&lt;b&gt;" in module._repr_html_()
    assert "<b>&#x27;" not in module._repr_html_()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one node"),
        ({"maximum": 4}, "up to 4 nodes"),
        ({"maximum": 0.5}, "50% of the nodes"),
        ({"maximum": -1}, "every node with data"),
        ({"method": "all", "datasets": ["digits"]}, "every node with digits"),
        ({"method": "all", "maximum": 3, "fixed": True}, "up to 3 nodes, the same in every iteration"),
        ({"specified_ids": ["a", "b"], "excepted_ids": ["b"]}, "one node, of a, b, not b"),
    ],
)
def test_placement_in_words(options: dict[str, Any], words: str):
    """Which nodes a module runs on is said in words."""
    assert words == worker(**options).placement()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"method": "most"}, "method must be \"any\" or \"all\", got 'most' (str)"),
        ({"maximum": 0}, "maximum must be a number of nodes ≥ 1, a fraction such as 0.5, or -1 for no limit, got 0 (int)"),
        ({"maximum": 1.5}, "maximum must be a number of nodes ≥ 1, a fraction such as 0.5, or -1 for no limit, got 1.5 (float)"),
        ({"maximum": math.nan}, "maximum must be a number of nodes ≥ 1, a fraction such as 0.5, or -1 for no limit, got nan (float)"),
        ({"maximum": True}, "maximum must be a number of nodes ≥ 1, a fraction such as 0.5, or -1 for no limit, got True (bool)"),
        ({"specified_ids": "node_1"}, "specified_ids must be a list of names, such as specified_ids=[\"node_1\"], got 'node_1' (str)"),
        ({"specified_ids": []}, "specified_ids and excepted_ids leave no node: name one that is not excepted"),
        ({"specified_ids": ["a"], "excepted_ids": ["a"]}, "specified_ids and excepted_ids leave no node: name one that is not excepted"),
        ({"excepted_ids": [3]}, "excepted_ids must be a list of names, such as excepted_ids=[\"node_1\"], got [3] (list)"),
        ({"datasets": "digits"}, "datasets must be a list of names, such as datasets=[\"digits\"], got 'digits' (str)"),
        ({"fixed": 1}, "fixed must be True or False, got 1 (int)"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0, or None, got 0 (int)"),
        ({"timeout": math.inf}, "timeout must be a number of seconds above 0, or None, got inf (float)"),
        ({"retries": -1}, "retries must be a whole number ≥ 0, got -1 (int)"),
        ({"min_nodes": -1}, "min_nodes must be a whole number ≥ 0, got -1 (int)"),
        ({"on_nan": "ignore"}, "on_nan must be \"warn\" or \"refuse\", got 'ignore' (str)"),
        ({"keep_results": "some"}, "keep_results must be a whole number ≥ 1, or \"all\", got 'some' (str)"),
        ({"alias": ""}, "alias must be a text of one line, or None, got '' (str)"),
        ({"retry": 1}, "a Module has no option 'retry' (did you mean 'retries'?): help(Module) lists them"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line(options: dict[str, Any], line: str):
    """Every option is checked when the module is made; the line names it, what is allowed and what was given."""
    with pytest.raises(DefinitionError) as caught:
        worker(**options)

    assert line == str(caught.value)


def test_a_path_is_asked_for():
    """Something that is no path is named by its type."""
    with pytest.raises(DefinitionError, match="path of a file or folder, got a int"):
        Module(3)  # type: ignore[arg-type]


def test_numpy_numbers_are_numbers():
    """A numpy integer or float is taken for what it is."""
    module = worker(maximum=np.int64(3), timeout=np.float32(2), retries=np.int8(1))

    assert [3, 2.0, 1] == [module.maximum, module.timeout, module.retries]
    assert [int, float, int] == [type(module.maximum), type(module.timeout), type(module.retries)]


def test_with_options_changes_a_copy():
    """with_options keeps the code and the other options, and leaves the module as it is."""
    module = worker(method="all", revision=2)
    changed = module.with_options(maximum=3)

    assert ("all", None, 2) == (module.method, module.maximum, module.revision)
    assert ("all", 3, 2) == (changed.method, changed.maximum, changed.revision)
    assert module.source is changed.source


def test_a_module_does_not_change():
    """An assignment to an attribute is refused, with what to type."""
    module = worker()

    with pytest.raises(DefinitionError, match=r"worker = worker.with_options\(maximum=…\)"):
        module.maximum = 3


def test_generation_b_arguments_are_accepted():
    """network_name and gpu of generation B do no harm."""
    module = Module(SEEDS / "modules/aggregator.py", "i", "any", False, None, None, 1, "a", "net", True)

    assert "a" == module.alias


def test_the_signature_and_the_options_agree():
    """Module's own signature lists every option, with the option's default or an empty form of it."""
    parameters = dict(inspect.signature(Module).parameters)
    del parameters["python_program"]
    defaults = {name: parameter.default or () for name, parameter in parameters.items()}
    options = {field.name: field.default or () for field in fields(Options) if field.name != "revision"}

    assert options == defaults


def test_an_alias_is_the_name_by_default():
    """Without an alias the task is called as the module, and that as its file."""
    assert ["worker", "w"] == [each.alias for each in (worker(), worker().with_options(name="w"))]
    assert "a" == worker().with_options(name="w", alias="a").alias


def test_str_and_path_are_the_same():
    """A path may be given as text."""
    path = SEEDS / "modules/aggregator.py"

    assert Module(path).source.version == Module(os.fspath(path)).source.version
