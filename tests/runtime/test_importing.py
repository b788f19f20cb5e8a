"""Modules travel as text: what they import of themselves, what a traceback shows, which names are free."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator, Mapping

import pytest

from manta_nb.errors import DefinitionError
from manta_nb.runtime.runners.programs import Programs
from manta_nb.runtime.runners.request import Policy, SharedRequest
from manta_nb.sdk.importing import SourceImporter, entry_point
from manta_nb.sdk.source import ModuleSource, source_from_text

MAIN = "def main():\n    return value()\n"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """No finder and no module of a test stays behind."""
    finders, modules = list(sys.meta_path), set(sys.modules)
    yield
    sys.meta_path[:] = finders
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def source(text: str, name: str = "worker", files: Mapping[str, str] | None = None) -> ModuleSource:
    """A module of cells."""
    return source_from_text(text, name, files, {"__init__.py": "Cell In[3]"})


def result(made: ModuleSource) -> object:
    """What its entry returns."""
    with SourceImporter(made) as importer:
        return entry_point(importer)()


def request(made: ModuleSource) -> SharedRequest:
    """A request to run it."""
    return SharedRequest("run", 0, made.name, 0, 0, made, Policy())


@pytest.mark.parametrize(
    "line",
    [
        "from .model import value",
        "from worker.model import value",
        "from . import model\nvalue = model.value",
        "import worker.model\nvalue = worker.model.value",
    ],
)
def test_a_module_imports_its_own_files(line: str) -> None:
    """Relative and absolute imports of a file beside the main one work."""
    assert result(source(f"{line}\n{MAIN}", files={"model.py": "def value(): return 7"})) == 7


def test_subfolders_need_no_init() -> None:
    """A file in a folder without `__init__.py` is imported by its dotted name."""
    files = {"parts/deep/model.py": "from ..other import n\ndef value(): return n", "parts/other.py": "n = 8"}

    assert result(source(f"from .parts.deep.model import value\n{MAIN}", files=files)) == 8


def test_a_folder_without_init_has_its_entry_in_a_file() -> None:
    """A folder of files, none of which is `__init__.py`, imports relatively as a package does."""
    made = source_from_text(
        None,
        "worker",
        {"worker_task.py": f"from .model import value\n{MAIN}", "model.py": "def value(): return 9"},
    )

    assert (made.entry_file, result(made)) == ("worker_task.py", 9)


def test_a_traceback_shows_the_cell_and_its_line() -> None:
    """Frames name the cell they came from, and quote its text."""
    with pytest.raises(ZeroDivisionError) as caught:
        result(source("def main():\n    x = 0\n    return 1 / x  # here\n"))
    frame = traceback.extract_tb(caught.tb)[-1]

    assert (frame.filename, frame.lineno, frame.line) == ("Cell In[3]", 3, "return 1 / x  # here")


def test_a_file_without_origin_is_named_by_its_path() -> None:
    """A file of which nobody said where it came from is shown by its name."""
    with pytest.raises(ZeroDivisionError) as caught:
        result(source(f"from .model import value\n{MAIN}", files={"model.py": "def value(): return 1 / 0"}))

    assert traceback.extract_tb(caught.tb)[-1].filename == "model.py"


@pytest.mark.parametrize("name", ["json", "numpy", "torch", "test", "this"])
def test_a_module_never_hides_an_installed_package(name: str) -> None:
    """A module that is called like a package runs, and the package can still be imported, from the module, too."""
    assert importlib.util.find_spec(name) is not None
    made = source(
        f"import json\nfrom .model import value\n{MAIN}", name, {"model.py": "def value(): return 5"}
    )
    with SourceImporter(made) as importer:
        entry = entry_point(importer)
        inner = sys.modules[importer.package]

        assert entry() == 5
        assert inner.json is json
        assert importlib.import_module("json").dumps(1) == "1"


def test_leaving_forgets_everything() -> None:
    """After the `with` neither the finder nor a module of the package is left."""
    importer = SourceImporter(source(f"from .model import value\n{MAIN}", files={"model.py": "value = int"}))
    with importer:
        entry_point(importer)

    assert importer not in sys.meta_path
    assert [name for name in sys.modules if name.split(".")[0] == "worker"] == []


def test_an_entry_that_is_gone_after_import_is_told() -> None:
    """A module whose text takes its own entry away is a `DefinitionError`."""
    with pytest.raises(DefinitionError, match="'main' after it was imported"):
        result(source("def main(): print(1)\ndel main"))


def test_a_process_imports_each_version_once() -> None:
    """Module-level variables live as long as the process: a second batch finds them."""
    programs, made = Programs(), source("n = []\ndef main():\n    n.append(1)\n    return len(n)\n")
    for expected in (1, 2, 3):
        assert programs.get(request(made))() == expected


def test_versions_of_a_module_stand_side_by_side() -> None:
    """A changed module under the same name runs its new text, and the old one keeps its own."""
    programs = Programs()
    old, new = (
        source(
            f"def main():\n    from worker.model import n\n    return n, {i}\n",
            files={"model.py": f"n = {i}"},
        )
        for i in (1, 2)
    )
    results = [programs.get(request(made))() for made in (old, new, old, new)]

    assert results == [(1, 1), (2, 2), (1, 1), (2, 2)]


def test_a_module_changed_in_one_file_only_runs_that_change() -> None:
    """The version covers every file of a package: a changed model.py is imported anew."""
    programs = Programs()
    main = "def main():\n    from .model import n\n    return n\n"
    results = [
        programs.get(request(source(main, files={"model.py": f"n = {number}"})))() for number in (1, 2, 1)
    ]

    assert results == [1, 2, 1]


def test_a_module_that_cannot_be_imported_fails_the_same_each_time() -> None:
    """What the import raised is raised for every node, with a traceback that does not grow."""
    programs, made = Programs(), source("x = 1 / 0\ndef main():\n    print(1)\n")
    lengths = []
    for _ in range(20):
        with pytest.raises(ZeroDivisionError) as caught:
            programs.get(request(made))
        lengths.append(len(traceback.extract_tb(caught.tb)))

    assert len(set(lengths[1:])) == 1


def test_forgetting_programs_leaves_nothing() -> None:
    """`forget` drops every module and every finder."""
    programs = Programs()
    programs.get(request(source("def main():\n    print(1)\n", "alpha")))
    programs.get(request(source("def main():\n    print(2)\n", "alpha")))
    finders = len(sys.meta_path)
    programs.forget()

    assert len(sys.meta_path) == finders - 1
    assert [name for name in sys.modules if name.startswith("alpha")] == []
