"""A user's merge function: what it gets, what it may return, and how it is told what was wrong."""

from __future__ import annotations

import json
import linecache
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from manta_nb.compat.swarm_learning.merging.methods import merge
from manta_nb.compat.swarm_learning.merging.source import load_merge, merge_source
from manta_nb.errors import PackageError, UsageError

MODELS = {
    "a": {"w": np.array([1.0, 2.0], "f4"), "n": np.array(3)},
    "b": {"w": np.array([5.0, 4.0], "f4"), "n": np.array(4)},
}
FACTOR = 10


def scaled(models: list[dict[str, np.ndarray]], weights: list[float]) -> dict[str, np.ndarray]:
    """Uses an import, a constant and a function of this file."""
    return {name: _sum(models, name) * FACTOR * weights[0] for name in models[0]}


def _sum(models: list[dict[str, np.ndarray]], name: str) -> Any:
    return np.sum([model[name] for model in models], axis=0)


def merged(function: Callable[..., Any], **weights: float) -> dict[str, Any]:
    """With weights 1 and 2 unless said otherwise."""
    return merge(function, MODELS, weights or {"a": 1, "b": 2})


def refusal(call: Callable[[], Any], kind: type[Exception] = PackageError) -> str:
    """What is said."""
    with pytest.raises(kind) as caught:
        call()
    assert len(str(caught.value)) <= 200
    return str(caught.value)


def from_file(folder: Path, text: str, name: str = "own") -> Callable[..., Any]:
    """The function `own` of a file, after its way to a node."""
    path = folder / "mine.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_merge(merge_source(f"{path}:{name}"))


def cell(text: str, number: int = 1, **names: Any) -> dict[str, Any]:
    """What a notebook's cell defines."""
    space: dict[str, Any] = {"__name__": "__main__", **names}
    text = textwrap.dedent(text)
    file = f"ipykernel_1/{number}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), space)  # noqa: S102 - as a notebook does
    return space


# -- what it gets and returns -----------------------------------------------------------------------------------


def test_it_gets_models_and_weights_and_returns_a_model() -> None:
    """In the order of the nodes; what comes back has the dtypes of the models, integers rounded to even."""
    seen: list[Any] = []

    def own(models: Any, weights: Any) -> Any:
        seen.append((type(models), [sorted(model) for model in models], weights))
        return {"w": (models[0]["w"].astype("f8") + models[1]["w"]) / 2, "n": np.float64(2.5)}

    found = merged(own)

    assert seen == [(list, [["n", "w"]] * 2, [1.0, 2.0])]
    assert found["w"].tolist() == [3.0, 3.0] and found["w"].dtype == "f4"
    assert found["n"] == 2 and found["n"].dtype == MODELS["a"]["n"].dtype and found["n"].shape == ()


def test_a_node_without_weight_is_not_given() -> None:
    """It takes no part, with a function as with a method."""
    found = merged(lambda models, weights: {**models[0], "n": len(models)}, a=0, b=3)

    assert found["w"].tolist() == [5.0, 4.0] and found["n"] == 1


def test_previous_is_for_those_who_want_it() -> None:
    """The model of the merge before, and None in the first one."""

    def own(models: Any, weights: Any, previous: Any = "unset") -> Any:
        return models[0] if previous is None else {name: array + 1 for name, array in previous.items()}

    assert merge(own, MODELS, {"a": 1, "b": 1})["w"].tolist() == [1.0, 2.0]
    assert merge(own, MODELS, {"a": 1, "b": 1}, previous=MODELS["b"])["w"].tolist() == [6.0, 5.0]


def test_tensors_and_new_memory() -> None:
    """Tensors are arrays; what comes back never lies in the memory of a model."""
    found = merged(lambda models, _: {"w": torch.ones(2), "n": models[0]["n"]})
    same = merged(lambda models, _: models[0])

    assert found["w"].tolist() == [1.0, 1.0]
    assert not np.shares_memory(same["w"], MODELS["a"]["w"]) and same["w"].flags.writeable


def test_models_cannot_be_changed() -> None:
    """Several nodes may share their memory; the place is named."""

    def own(models: Any, weights: Any) -> Any:
        models[0]["w"] += 1

    assert "failed in line" in refusal(lambda: merged(own)) and "read-only" in refusal(lambda: merged(own))
    assert MODELS["a"]["w"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (None, "must return a dict of arrays by name, got None"),
        ([np.zeros(2)], "must return a dict of arrays by name, got list"),
        ({"w": np.zeros(2)}, "'n' is missing in what it returned"),
        ({"w": np.zeros(2), "n": 1, "x": 2}, "returned 'x', which the models do not have"),
        ({"w": np.zeros(3), "n": 1}, "'w' came back with shape (3,), the models have (2,)"),
        ({"w": [[1, 2], [3]], "n": 1}, "'w' came back as no array"),
        ({"w": "ab", "n": 1}, "'w' came back as str, not as an array of numbers"),
        ({"w": np.array([1j, 0]), "n": 1}, "'w' came back complex, the models have float32"),
        ({"w": np.array([np.nan, 0]), "n": 1}, "'w' came back with NaN or infinities, which no model has"),
        ({"w": np.array([1e300, 0]), "n": 1}, "'w' came back with NaN or infinities"),
        ({"w": np.zeros(2), "n": np.nan}, "'n' came back with numbers that int64 cannot hold"),
        ({"w": np.zeros(2), "n": 1e30}, "'n' came back with numbers that int64 cannot hold"),
    ],
)
def test_what_comes_back_is_checked(made: Any, says: str) -> None:
    """Which array, what is wrong, in one line that names the function."""

    def mine(models: Any, weights: Any) -> Any:
        return made

    text = refusal(lambda: merged(mine))

    assert text.startswith("merge function mine") and says in text


# -- how it travels ---------------------------------------------------------------------------------------------


def test_a_function_of_a_module_travels_with_what_it_uses() -> None:
    """Imports, constants and functions beside it, and nothing else."""
    source = merge_source(scaled)
    found = merged(load_merge(source))

    assert found["w"].tolist() == [60.0, 60.0] and found["n"] == 70
    assert "def _sum" in source and "def refusal" not in source and "pytest" not in source


def test_a_file_is_not_executed_but_for_the_function(tmp_path: Path) -> None:
    """It may well be the script that trains."""
    function = from_file(
        tmp_path,
        """
        from __future__ import annotations
        import not_installed_anywhere
        import numpy as np
        try:
            from math import inf as far
        except ImportError:
            far = 1e9

        raise SystemExit("trains")

        class Rule:
            power = 2

        def own(models, weights):
            assert far > 1
            return {name: np.abs(models[0][name]) ** Rule.power for name in models[0]}
        """,
    )

    assert merged(function)["w"].tolist() == [1.0, 4.0]


def test_an_error_is_in_the_line_of_the_file(tmp_path: Path) -> None:
    """Lines keep their numbers on the way; also of a function that it calls."""
    function = from_file(
        tmp_path,
        """\
        import numpy as np
        unused = 1

        def helper(models):
            return models[0]["nothing"]

        def own(models, weights):
            return helper(models)
        """,
    )

    assert refusal(lambda: merged(function)) == (
        "merge function own failed in line 5 of mine.py: KeyError: 'nothing'"
    )


def test_a_cell_takes_along_what_other_cells_imported() -> None:
    """Modules, imported names and constants; a function of another cell is asked for."""
    space = cell(
        "def own(models, weights):\n    return {n: npy.full(models[0][n].shape, K[0]) for n in models[0]}\n",
        npy=np,
        K=[3],
    )
    assert merged(load_merge(merge_source(space["own"])))["w"].tolist() == [3.0, 3.0]

    other = cell("def helper(models):\n    return models[0]\n", 2)
    using = cell("def own(models, weights):\n    return helper(models)\n", 3, helper=other["helper"])
    text = refusal(lambda: merge_source(using["own"]), UsageError)
    assert text == "merge: own uses helper: define it beside the function"


def test_a_decorated_and_an_indented_function() -> None:
    """Decorators come along; a function inside a block stands at the left in its text."""
    space = cell(
        """
        def twice(function):
            return lambda models, weights: {n: 2 * a for n, a in function(models, weights).items()}

        if True:
            @twice
            def own(models, weights):
                return models[0]
        """
    )
    found = json.loads(merge_source(next(c.cell_contents for c in space["own"].__closure__)))

    assert merged(load_merge(json.dumps(found)))["w"].tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("mine.py", "merge is FILE.py:function, got mine.py"),
        (":own", "merge is FILE.py:function"),
        ("mine.py:own()", "merge is FILE.py:function"),
        ("nowhere.py:own", "merge: cannot read nowhere.py: No such file or directory"),
        (lambda models, weights: models[0], "merge must be a function written with def, got a lambda"),
        (partial(scaled), "merge must be FILE.py:function or a function written with def, got partial"),
        (np.mean, "got mean"),
        (3, "got int"),
    ],
)
def test_what_is_no_function(spec: Any, says: str) -> None:
    """Said before anything runs."""
    assert says in refusal(lambda: merge_source(spec), UsageError)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def own(:\n", "mine.py is no Python, line 1"),
        ("def other(models, weights): ...\n", "has no function own; its functions: other"),
        ("def owns(models, weights): ...\n", "has no function own (did you mean 'owns'?)"),
        (
            "def own(models, weights):\n    return np.mean(models)\n",
            "own uses np: it is defined nowhere in the file",
        ),
    ],
)
def test_files_without_it(tmp_path: Path, text: str, says: str) -> None:
    """Syntax, name, and what it uses and nobody defines."""
    assert says in refusal(lambda: from_file(tmp_path, text), UsageError)


def test_what_fails_where_it_arrives(tmp_path: Path) -> None:
    """A module that is not installed there, and a name that is no function."""
    text = "import not_installed_anywhere as n\ndef own(models, weights):\n    return n\n"
    assert refusal(lambda: from_file(tmp_path, text)) == (
        "merge: mine.py failed: ModuleNotFoundError: No module named 'not_installed_anywhere'"
    )
    assert refusal(lambda: from_file(tmp_path, "own = 3\n")) == "merge: own is not a function"


def test_a_closure_stays_where_it_is() -> None:
    """What it holds of the function around it does not travel."""
    factor = 2

    def own(models: Any, weights: Any) -> Any:
        return factor

    assert refusal(lambda: merge_source(own), UsageError) == (
        "merge: own uses factor of the function around it: define it at the top level"
    )
