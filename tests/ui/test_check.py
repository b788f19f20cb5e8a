"""Names nobody defines, and what to type about each."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest

import manta_nb.sdk.bytes
from manta_nb.errors import DefinitionError
from manta_nb.ui.check import check_names, undefined_names

LABEL = "Cell In[3]"


def cure(name: str, namespace: dict[str, object]) -> str:
    """What is said about `name`, used on line 2."""
    with pytest.raises(DefinitionError) as caught:
        check_names(f"\n{name}", LABEL, namespace)
    told = str(caught.value)
    assert len(told) <= 200
    assert told.startswith("Cell In[3], line 2: ")
    return told.removeprefix("Cell In[3], line 2: ")


def test_defined_names_pass() -> None:
    """Imports, arguments, builtins, comprehensions and star imports are no undefined names."""
    text = "import os\nfrom math import *\ndef f(a, *b, **c):\n    return [os, a, b, c, len, sin, __name__]\n"

    assert undefined_names(text, LABEL) == []


def test_names_come_once_in_the_order_of_their_lines() -> None:
    """A name used twice is one mistake, at its first line."""
    assert undefined_names("\nb\na\nb", LABEL) == [("b", 2), ("a", 3)]


def test_a_module_of_the_notebook_is_an_import_to_add() -> None:
    """The import that the notebook has is the line to add."""
    assert cure("np", {"np": np}) == (
        'np is not imported in this module (in the notebook it is "import numpy as np"): add that line here'
    )


def test_an_imported_function_is_an_import_to_add() -> None:
    """A class or function is imported from where it is defined, under the name it has here."""
    assert '"from collections import OrderedDict as Od"' in cure(
        "Od", {"Od": __import__("collections").OrderedDict}
    )


def test_a_variable_is_handed_over_or_defined() -> None:
    """The rule a class learns first, with the two ways out."""
    assert cure("lr", {"lr": 0.1}) == (
        'lr is a variable of the notebook; nothing of it travels but this text: set_global("lr", lr) before the flow '
        'and read self.world.globals["lr"], or define it here'
    )


def test_a_long_variable_still_fits_the_line() -> None:
    """A long name is written out in what is to be typed."""
    name = "learning_rate_of_the_workers"

    assert f'set_global("{name}", {name})' in cure(name, {name: 0.1})


def test_a_function_of_the_notebook_is_defined_here() -> None:
    """A function of an ordinary cell does not travel."""

    def helper() -> None: ...

    helper.__module__ = "__main__"
    assert "helper is a function of the notebook" in cure("helper", {"helper": helper})


@pytest.fixture
def packaged() -> Iterator[type]:
    """A class as a `%%module worker --file model.py` cell leaves it."""
    root, model = types.ModuleType("worker"), types.ModuleType("worker.model")
    root.__dict__["__manta_version__"] = "1"
    sys.modules |= {"worker": root, "worker.model": model}
    model.__dict__["MLP"] = kind = type("MLP", (), {"__module__": "worker.model"})
    yield kind
    del sys.modules["worker"], sys.modules["worker.model"]


def test_a_class_of_another_module_names_its_file(packaged: type) -> None:
    """What belongs to another module is given to this one by --file."""
    assert "MLP is in model.py of module worker" in cure("MLP", {"MLP": packaged})


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("np", "import numpy as np"),
        ("Task", "from manta_light.task import Task"),
        ("nn", "import torch.nn as nn"),
    ],
)
def test_usual_names_have_their_import(name: str, line: str) -> None:
    """A name everybody writes is cured without a notebook that knows it."""
    assert line in cure(name, {})


def test_a_misspelt_name_is_guessed() -> None:
    """Where nothing is known, the nearest name of the notebook is offered."""
    assert "(did you mean 'numpy_to_bytes'?)" in cure(
        "numpy_to_byte", {"numpy_to_bytes": manta_nb.sdk.bytes.numpy_to_bytes}
    )


def test_several_names_are_one_line() -> None:
    """The first is explained, the others are named."""
    assert cure("first + second", {}).endswith("(also second)")


@pytest.mark.parametrize("name", ["display", "get_ipython"])
def test_words_of_notebooks_are_undefined_on_a_node(name: str) -> None:
    """IPython makes them look like Python's own; a node has none of them."""
    assert f"{name} is there in notebooks only" in cure(name, {name: print})
