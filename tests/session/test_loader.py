"""Loading a swarm from a file: paths, classes, parameters, and loading again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manta_nb.errors import DefinitionError, UsageError
from manta_nb.session.loader import load_swarm, parse_params, split_spec

SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm"
HEADER = "from manta.swarm import Swarm\nfrom manta.module import Module\n"
FLOW = "    def execute(self):\n        return self.w()\n"
SWARM = (
    HEADER
    + "class {0}(Swarm):\n    def __init__(self, n=1):\n        super().__init__()\n        self.w = Module('w.py', maximum=n)\n"
    + FLOW
)


@pytest.fixture(autouse=True)
def _path_as_before() -> Iterator[None]:
    path, modules = sys.path[:], {*sys.modules}
    yield
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        if name.partition(".")[0] in ("manta", "manta_light", "modules", "helper"):
            del sys.modules[name]


def project(folder: Path, text: str, **files: str) -> str:
    """A folder with `swarm.py`, a module `w.py` and these files; returns the path of swarm.py."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"swarm": text, "w": "def main():\n    print(1)\n", **files}.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    return str(folder / "swarm.py")


def test_the_seeds_load_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The seeds' own files, with no __init__.py, load from another working directory."""
    monkeypatch.chdir(tmp_path)
    swarm = load_swarm(str(SEEDS / "swarm.py"), {"n_workers": 3})
    graph = swarm.graph()

    assert ("worker", "aggregator", "scheduler") == graph.aliases
    assert [3, 1, 1] == [task.module.maximum for task in graph.tasks]
    assert {"hyperparameters", "global_model_params"} == {*swarm.globals}


def test_the_file_is_loaded_under_a_private_name(tmp_path: Path):
    """A user's swarm.py does not become the module `swarm`, and the path is as before."""
    before = sys.path[:]

    swarm = load_swarm(project(tmp_path, SWARM.format("FL")))

    assert "swarm" not in sys.modules
    assert type(swarm).__module__ in sys.modules
    assert str(tmp_path) not in sys.path
    assert [entry for entry in sys.path if "shims" not in entry] == [x for x in before if "shims" not in x]


def test_a_module_made_in_execute_is_found(tmp_path: Path):
    """A relative path in execute is looked for where those of __init__ are."""
    text = HEADER + "class FL(Swarm):\n    def execute(self):\n        return Module('w.py')()\n"

    assert ("w",) == load_swarm(project(tmp_path, text)).graph().aliases


def test_an_edited_file_is_read_anew(tmp_path: Path):
    """Loading again sees what was edited, also in the files the swarm imports, however quickly."""
    text = "from helper import N\n" + HEADER + "class FL(Swarm):\n    name = str(N)\n"
    first = load_swarm(project(tmp_path, text, helper="N = 1\n"))
    second = load_swarm(project(tmp_path, text, helper="N = 2\n"))

    assert ("1", "2") == (first.name, second.name)


def test_two_projects_do_not_mix(tmp_path: Path):
    """Two folders with files of the same name each get their own."""
    text = "from helper import N\n" + HEADER + "class FL(Swarm):\n    name = N\n"
    names = [
        load_swarm(project(tmp_path / name, text, helper=f"N = {name!r}\n")).name for name in ("one", "two")
    ]

    assert ["one", "two"] == names


def test_one_of_several_is_named(tmp_path: Path):
    """A file with several swarms lists them; FILE:Class chooses."""
    path = project(tmp_path, SWARM.format("A") + SWARM.format("B").removeprefix(HEADER))

    with pytest.raises(DefinitionError, match=r"defines 2 swarms, A, B: say which, as in swarm.py:B"):
        load_swarm(path)
    assert "B" == load_swarm(f"{path}:B").name


def test_an_imported_swarm_counts_where_none_is_defined(tmp_path: Path):
    """A file that only imports its swarm runs it."""
    path = project(tmp_path, "from helper import FL\n", helper=SWARM.format("FL"))

    assert "FL" == load_swarm(path).name


@pytest.mark.parametrize(
    ("spec", "params", "line"),
    [
        (":FLL", {}, "swarm.py has no swarm 'FLL' (did you mean 'FL'?): there is FL"),
        ("", {"m": 1}, "FL has no parameter 'm': it is FL(n=1)"),
        ("", {"self": 1}, "FL has no parameter 'self': it is FL(n=1)"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path: Path, spec: str, params: dict[str, Any], line: str):
    """A wrong class or parameter is one line with what there is."""
    with pytest.raises(UsageError) as caught:
        load_swarm(project(tmp_path, SWARM.format("FL")) + spec, params)

    assert line == str(caught.value)


def test_a_needed_parameter_is_asked_for(tmp_path: Path):
    """A parameter without a default that was not given is named."""
    text = HEADER + "class FL(Swarm):\n    def __init__(self, rate):\n        super().__init__()\n"

    with pytest.raises(
        UsageError, match=r"missing a required argument: 'rate': it is FL\(rate\); give -p NAME=VALUE"
    ):
        load_swarm(project(tmp_path, text))


def test_a_missing_file_is_one_line(tmp_path: Path):
    """A file that is not there names the nearest one."""
    path = project(tmp_path, SWARM.format("FL"))

    with pytest.raises(UsageError, match=r"no swarm file .*\(did you mean 'swarm.py'\?\)"):
        load_swarm(path.replace("swarm.py", "swarn.py"))


def test_a_file_without_a_swarm_is_one_line(tmp_path: Path):
    """A file that defines no swarm says how one begins."""
    with pytest.raises(DefinitionError, match="swarm.py defines no swarm: write"):
        load_swarm(project(tmp_path, "x = 1\n"))


def test_an_error_in_the_file_is_the_users_own(tmp_path: Path):
    """What the user's file raises is not wrapped, and the path is put back."""
    path = project(tmp_path, "1 / 0\n")

    with pytest.raises(ZeroDivisionError) as caught:
        load_swarm(path)

    assert "swarm.py" == Path(caught.traceback[-1].path).name
    assert str(tmp_path) not in sys.path


def test_no_bytecode_is_left_behind(tmp_path: Path):
    """Loading writes nothing into the user's folder."""
    load_swarm(project(tmp_path, "import helper\n" + SWARM.format("FL"), helper=""))

    assert {"swarm.py", "w.py", "helper.py"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("swarm.py", ("swarm.py", "")),
        ("a/swarm.py:FL", ("a/swarm.py", "FL")),
        ("C:\\x\\swarm.py", ("C:\\x\\swarm.py", "")),
        ("C:\\x\\swarm.py:FL", ("C:\\x\\swarm.py", "FL")),
        ("Élève.py:Été", ("Élève.py", "Été")),
    ],
)
def test_a_spec_is_split(spec: str, expected: tuple[str, str]):
    """The class follows the last colon; the colon of a Windows drive is none."""
    path, name = split_spec(spec)

    assert expected == (str(path), name)


def test_parameters_are_literals_or_bare_words():
    """A value is a Python literal; a word that is none is a text."""
    given = [
        "n=8",
        "lr=1e-3",
        "sizes=[1, 2]",
        "name=fl",
        "path=data/x.csv",
        "text='a b'",
        "flag=True",
        "é=None",
    ]

    assert {
        "n": 8,
        "lr": 0.001,
        "sizes": [1, 2],
        "name": "fl",
        "path": "data/x.csv",
        "text": "a b",
        "flag": True,
        "é": None,
    } == parse_params(given)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["n_workers"], "-p takes NAME=VALUE, such as -p n_workers=8, got 'n_workers'"),
        (["=3"], "-p takes NAME=VALUE"),
        (["n=1", "n=2"], "-p n is given twice"),
        (["x=[1,"], r"-p x=\[1, is no Python value"),
        (["x=a b"], "needs quotes"),
        (["x="], "is no Python value"),
        (["x=__import__('os')"], "is no Python value"),
        (["x=true"], "-p x=true: Python writes it True"),
        (["x=null"], "-p x=null: Python writes it None"),
    ],
)
def test_a_wrong_parameter_is_one_line(texts: list[str], words: str):
    """What is no NAME=VALUE, or no literal, is refused; nothing is evaluated."""
    with pytest.raises(UsageError, match=words):
        parse_params(texts)
