"""What is imported late, and what a program does first: nothing is kept that would have come out otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from manta_nb.compat.fedn.programs.warm.imports import find_imports
from manta_nb.compat.fedn.programs.warm.inside.wanted import Wanted
from manta_nb.compat.fedn.programs.warm.program import PythonProgram
from tests.compat.fedn.warmth import Both
from tests.waiting import until


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "node").mkdir()
    made = Both(tmp_path / "node", tmp_path / "meeting")
    yield made
    made.leave()


#: says which process imported it, and what it found
READER = "import os; MAKER = os.getpid(); VALUE = os.environ.get('BACKEND')"
SAYS = "import os, sys\nprint(reader.MAKER == os.getpid(), reader.VALUE)\n"


def test_what_a_program_imports_late_the_next_one_finds(both: Both) -> None:
    """Imports in functions, and those of libraries that put them off, are paid for once."""
    both.write("library/reader.py", READER)
    both.write("main.py", f"def work():\n    import reader\n    return reader\nreader = work()\n{SAYS}")
    first = both.warm(both.program())

    until(lambda: both.warm(both.program()).stdout == ("False None",))

    assert ("True None",) == first.stdout


def test_a_variable_that_a_program_sets_before_it_imports_late_counts(both: Both) -> None:
    """The module is imported by each program, as another one might set another value."""
    both.write("library/reader.py", READER)
    both.write("library/other.py", READER)
    both.write(
        "main.py",
        f"import os, sys\ndef work():\n    os.environ['BACKEND'] = sys.argv[1]\n    import reader\n    return reader\nreader = work()\n{SAYS}",
    )
    both.write("other.py", "def work():\n    import other\n    return other\nreader = work()\n" + SAYS)

    said = [both.warm(both.program(value)).stdout for value in ("torch", "jax", "numpy", "torch")]

    assert [(f"True {value}",) for value in ("torch", "jax", "numpy", "torch")] == said


def test_an_import_that_is_late_changes_no_environment_early(both: Both) -> None:
    """A variable that it sets is set when it is imported, in the program."""
    both.write("library/setter.py", "import os; os.environ['MADE'] = 'late'")
    both.write("main.py", "import os\nprint(os.environ.get('MADE'))\ndef work():\n    import setter\nwork()")

    said = {both.warm(both.program()).stdout for _ in range(4)}

    assert {("None",)} == said


#: what a program does first → what it does not find ready then
FIRST = {
    "os.environ['BACKEND'] = 'torch'": "reader is imported anew by each call: it looks at BACKEND, which the program sets first",
    "os.environ.setdefault('BACKEND', 'torch')": "reader is imported anew by each call: it looks at BACKEND, which the program sets first",
    "if True:\n    os.environ['BACKEND'] = 'torch'": "reader is imported anew by each call: it looks at BACKEND, which the program sets first",
    "os.environ.update(BACKEND='torch')": "",
    "for name in ['BACKEND']: os.environ[name] = 'torch'": "",
    "def choose(): os.environ['BACKEND'] = 'torch'\nchoose()": "",
    "import own": "reader is imported anew by each call: it looks at BACKEND, which the program sets first",
    "from other import choose as first\nfirst()": "",
}


@pytest.mark.parametrize("first", FIRST)
def test_a_variable_that_a_program_sets_before_an_import_counts(both: Both, first: str) -> None:
    """Many programs choose a backend or silence a library like that."""
    both.write("library/reader.py", READER)
    both.write("own.py", "import os\nos.environ['BACKEND'] = 'torch'")
    both.write("other.py", "import os\ndef choose(): os.environ['BACKEND'] = 'torch'")
    both.write("main.py", f"import os\n{first}\nimport reader\n{SAYS}")
    program = both.program()
    warm = both.kept(both.call())
    assert "" == warm.ready(program)
    warm.disconnect()

    assert (
        ("True torch",) == both.cold(program).stdout == both.warm(program).stdout == both.warm(program).stdout
    )
    assert FIRST[first] == "".join(warm.notes)


#: text of a program → what is imported whenever it runs
TEXTS = {
    "import torch, numpy as np": ["torch", "numpy"],
    "from torch import nn, optim\nfrom torch import *": ["torch:nn,optim", "torch", "torch._dynamo"],
    "import torch\ndef f():\n    import pandas": ["torch"],
    "try:\n    import docker\nexcept ImportError:\n    import podman": ["docker"],
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch": ["typing:TYPE_CHECKING"],
    "if __name__ == '__main__':\n    import fire": ["fire"],
    "import own": ["numpy", "yaml"],
    "from package import part": ["json:dump", "csv"],
    "import package.part": ["json:dump", "csv"],
    "import empty\nimport torch": ["empty", "torch"],
    "import sys\nsys.path.append('..')\nimport torch": ["sys", "torch"],
    "import sys\nsys.path.insert(0, '..')\nimport torch": ["sys"],
    "import sys\nsys.modules['docker'] = None\nimport torch": ["sys"],
    "'''Sets os.environ and sys.modules.'''\nimport torch": ["torch"],
    "from __future__ import annotations\nimport torch": ["torch"],
    "import own_of_nobody.deep as x": ["own_of_nobody.deep"],
    "from . import nothing": [],
    "import broken\nimport torch": [],
}


@pytest.mark.parametrize("text", TEXTS)
def test_imports_are_told_from_the_text(tmp_path: Path, text: str) -> None:
    """Those that run whatever happens, in order, through the package's own modules; nothing is executed for it."""
    (tmp_path / "main.py").write_text(text)
    (tmp_path / "own.py").write_text("import numpy\nimport yaml\nimport main\nimport own")
    (tmp_path / "broken.py").write_text("import (")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from json import dump")
    (tmp_path / "package" / "part.py").write_text("import csv\nfrom . import part\nfrom .part import x")
    (tmp_path / "empty").mkdir()

    found = find_imports(PythonProgram((), "main.py", None, ()), tmp_path)

    told = [":".join(filter(None, [each.name, ",".join(each.members)])) for each in found.wanted]
    assert ("", TEXTS[text]) == (found.trouble, told)


def test_variables_that_are_set_come_with_what_is_imported_later(tmp_path: Path) -> None:
    """So that an import which looks at one of them is left to the program."""
    (tmp_path / "main.py").write_text(
        "import os\nfrom os import environ\nenviron['A'] = '1'\nimport json\ndel os.environ['B']\nimport csv"
    )

    found = find_imports(PythonProgram((), "main.py", None, ()), tmp_path)

    wanted = [
        Wanted("os"),
        Wanted("os", ["environ"]),
        Wanted("json", [], ["A"]),
        Wanted("csv", [], ["A", "B"]),
    ]
    assert wanted == found.wanted
