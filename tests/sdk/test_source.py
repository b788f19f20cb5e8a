"""Reading modules: which file is the main one, what runs, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manta_nb.errors import DefinitionError
from manta_nb.sdk.source import MAIN, ModuleSource, read_source, source_from_text

TASK = "from manta_light.task import Task\n"
WORKER = TASK + "class Worker(Task):\n    def run(self):\n        print(1)\n"
MAIN_ONLY = "def main():\n    print(1)\n"
SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm"


def folder(tmp_path: Path, **files: str) -> Path:
    """A folder `worker` with these files; `__` in a name stands for `/`."""
    for name, text in files.items():
        path = tmp_path / "worker" / (name.replace("__", "/") + ".py" if name != "init" else MAIN)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "worker"


def refusal(text: str, **more: str) -> str:
    """The line with which a module of this text is refused."""
    with pytest.raises(DefinitionError) as caught:
        source_from_text(text, "worker", **more)
    return str(caught.value)


def test_a_seed_folder_without_init_runs_its_main():
    """The seeds' worker folder has no __init__.py: the only file that defines main is its entry."""
    source = read_source(SEEDS / "modules/worker")

    assert ("worker_task.py", "main", False) == (source.entry_file, source.entry_name, source.entry_is_class)
    assert ["worker_task.py", "model.py"] == list(source.files)
    assert "worker.worker_task" == source.entry_module


def test_a_single_file_is_the_package_itself():
    """A module that is one file is imported under the file's own name."""
    source = read_source(SEEDS / "modules/aggregator.py")

    assert ("aggregator", MAIN, "aggregator") == (source.name, source.main, source.entry_module)
    assert "main()" == source.entry


def test_main_of_init_wins(tmp_path: Path):
    """A main that __init__.py imports is the entry, whatever else is there."""
    source = read_source(folder(tmp_path, init="from .a import main\n", a=MAIN_ONLY, b=MAIN_ONLY))

    assert (MAIN, "main", "worker") == (source.entry_file, source.entry_name, source.entry_module)


def test_the_only_task_class_of_a_folder_is_the_entry(tmp_path: Path):
    """Without a main the only Task class is the entry, wherever it stands."""
    source = read_source(folder(tmp_path, init="", deep__train=WORKER, model="class MLP: ...\n"))

    assert ("deep/train.py", "Worker.run", "worker.deep.train") == (
        source.entry_file,
        source.entry,
        source.entry_module,
    )


def test_main_wins_over_a_task_class():
    """A cell with both a Task class and a main runs main."""
    assert "main()" == source_from_text(WORKER + MAIN_ONLY, "worker").entry


@pytest.mark.parametrize(
    "text",
    [
        "from manta_light.task import Task as T\nclass W(T):\n    def run(self): print(1)",
        "import manta_light.task\nclass W(manta_light.task.Task):\n    def run(self): print(1)",
        "import manta.light as ml\nclass W(ml.Task):\n    def run(self): print(1)",
        "from manta_nb import Task\nclass W(Task):\n    def run(self): print(1)",
        "from manta_light.task import *\nclass W(Task):\n    def run(self): print(1)",
        "from .base import Base\nclass W(Base):\n    def run(self): print(1)",
        "from . import base\nclass W(base.Base): ...",
        "from worker.base import *\nclass W(Base): ...",
        "try:\n    from manta_light.task import Task\nexcept ImportError:\n    raise\nclass W(Task):\n    run = print",
    ],
)
def test_a_task_is_recognised_however_it_is_imported(text: str):
    """Renamed, dotted, starred and inherited imports of Task all make a task."""
    files = {"base.py": TASK + "class Base(Task):\n    def run(self): print(0)"} if "base" in text else {}

    assert "W.run" == source_from_text(text, "worker", files).entry


def test_a_circle_of_imports_ends():
    """Files that re-export from one another in a circle do not hang the search."""
    with pytest.raises(DefinitionError, match="no task"):
        source_from_text(
            "from .a import X\nclass W(X): ...",
            "worker",
            {"a.py": "from .b import X", "b.py": "from .a import X"},
        )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\n", 'module worker has no task: write "class Worker(Task):" with a "def run(self):", or a "def main():"'),
        (TASK + "class W(Task):\n    def go(self): ...", "worker.py, line 2: W has no run: add \"def run(self):\" with what the task does"),
        (TASK + "class W(Task):\n    def run(): print(1)", "worker.py, line 3: run of W has no self: write \"def run(self):\""),
        (TASK + "class W(Task):\n    def run(self):\n        '''Soon.'''", "worker.py, line 3: run of W is empty: write what the task does there"),
        (TASK + "class W(Task):\n    def run(self, lr): print(lr)", "worker.py, line 3: run of W is called with self only, it asks for lr: read self.world.globals"),
        (TASK + "class W(Task):\n    async def run(self): print(1)", "worker.py, line 3: run of W is called without await: write \"def run(self):\""),
        (TASK + "class W(Task): ...\ndef main():\n    W().run()", "worker.py, line 2: W has no run: add \"def run(self):\" with what the task does"),
        ("def main(x): print(x)", "worker.py, line 1: main is called without arguments, it asks for x"),
        ("async def main(): print(1)", "worker.py, line 1: main is called without await: write \"def main():\""),
        ("def main():\n    pass", 'worker.py, line 1: main is empty: write what the task does, such as "Worker().run()"'),
        ("class W(Task):\n    def run(self): print(1)", 'worker.py, line 1: Task is not imported in module worker: add "from manta_light.task import Task"'),
        ("class W:\n    def run(self): print(1)", 'worker.py, line 1: W has a run but is no Task: write "class W(Task):"'),
        ("x = 'open\n", "worker.py, line 1: unterminated string literal (detected at line 1): x = 'open"),
        ("def f(:\n", "worker.py, line 1: invalid syntax: def f(:"),
        ("import os\n!pip install x", "worker.py, line 2: invalid syntax: a module is plain Python, no % or ! lines: !pip install x"),
        ("return 3", "worker.py, line 1: 'return' outside function: return 3"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_in_one_line(text: str, line: str):
    """Each mistake in the text of a module has one line that names the place and the cure."""
    assert line == refusal(text)


def test_two_tasks_are_named():
    """Two Task classes and no main: the error lists both with their places."""
    text = WORKER + "class Other(Task):\n    def run(self):\n        print(2)\n"

    message = refusal(text)

    assert (
        "module worker has 2 tasks, Worker (worker.py, line 2), Other (worker.py, line 5): "
        "keep one, or add one main()"
    ) == message


def test_a_base_class_is_not_a_second_task():
    """A Task class that another one derives from is not a candidate."""
    text = TASK + "class Base(Task):\n    def run(self): print(1)\nclass W(Base): ..."

    assert "W.run" == source_from_text(text, "worker").entry


def test_errors_name_the_cell():
    """With an origin the error names the notebook's cell and its line."""
    message = refusal("\n\nx = (", origins={MAIN: "Cell In[3]"})

    assert "Cell In[3], line 3: '(' was never closed: x = (" == message


@pytest.mark.parametrize("name", ["my-worker", "class", "", "1st"])
def test_a_name_must_be_an_identifier(name: str):
    """The name of a module is an identifier and no keyword."""
    with pytest.raises(DefinitionError, match="module"):
        source_from_text(MAIN_ONLY, name)


@pytest.mark.parametrize("path", ["../model.py", "/model.py", "", MAIN, "a\\b.py", "./m.py"])
def test_a_file_beside_the_main_one_stays_inside(path: str):
    """The path of a further file is plain, relative, and not the main file's."""
    with pytest.raises(DefinitionError, match="is no name of a file"):
        source_from_text(MAIN_ONLY, "worker", {path: "x = 1"})


def test_an_unfinished_package_may_have_no_task_yet():
    """A cell with --file may come first: the package has no entry and says so."""
    source = source_from_text(None, "worker", {"model.py": "class MLP: ...\n"}, complete=False)

    assert ("", "", "model.py") == (source.entry, source.entry_file, source.summary())


def test_the_version_follows_the_text_only():
    """The version changes with any file's text, and not with the origins."""
    first = source_from_text(MAIN_ONLY, "worker", {"m.py": "x = 1"})
    moved = source_from_text(MAIN_ONLY, "worker", {"m.py": "x = 1"}, {"m.py": "Cell In[9]"})
    changed = source_from_text(MAIN_ONLY, "worker", {"m.py": "x = 2"})

    assert first.version == moved.version
    assert first.version != changed.version


def test_the_summary_shows_cells():
    """The card's list of files shows which cell each came from."""
    source = source_from_text(
        WORKER, "worker", {"model.py": "x = 1"}, {MAIN: "Cell In[3]", "model.py": "Cell In[2]"}
    )

    assert "Worker.run (In[3]), model.py (In[2])" == source.summary()


def test_the_swarm_files_folder_is_tried_second(tmp_path: Path):
    """A relative path that is not in the working directory is looked for in the base folder."""
    folder(tmp_path, init=MAIN_ONLY)

    source = read_source("worker", base=tmp_path)

    assert {MAIN: f"worker/{MAIN}"} == dict(source.origins)


def test_a_missing_module_names_both_folders(tmp_path: Path):
    """An error for a path that is nowhere names the folders it was looked for in."""
    with pytest.raises(DefinitionError) as caught:
        read_source("modules/nope", base=tmp_path)

    assert str(caught.value).startswith("no module modules/nope: there is no such file or folder in /")
    assert " or /" in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_what_is_no_code_stays_behind(tmp_path: Path):
    """Hidden files, caches, binaries and big texts do not travel; small texts do."""
    path = folder(tmp_path, init=MAIN_ONLY, __pycache____x="x = 1")
    (path / ".env").write_text("SECRET=1")
    (path / "labels.txt").write_text("Élève\n", encoding="utf-8")
    (path / "weights.bin").write_bytes(b"\0\xff")
    (path / "big.csv").write_text("1\n" * 600_000)

    assert [MAIN, "labels.txt"] == list(read_source(path).files)


def test_a_link_that_leads_out_is_refused(tmp_path: Path):
    """A Python file that is a link to elsewhere is refused; a data file that is one stays behind."""
    path = folder(tmp_path, init=MAIN_ONLY)
    (tmp_path / "secret.txt").write_text("secret")
    (path / "notes.txt").symlink_to(tmp_path / "secret.txt")
    assert [MAIN] == list(read_source(path).files)
    (tmp_path / "other.py").write_text("x = 1")
    (path / "other.py").symlink_to(tmp_path / "other.py")

    with pytest.raises(DefinitionError, match=r"other\.py is a link that leads out"):
        read_source(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("data.txt", b"x", "is not a Python file"),
        ("latin.py", b"x = '\xe9'", "cannot be read"),
        ("big.py", b"#" * 1_000_001, "larger than 1 MB"),
        ("my-worker.py", b"def main(): print(1)", "digits and _ only"),
    ],
)
def test_a_file_that_is_no_module_is_refused(tmp_path: Path, name: str, content: bytes, words: str):
    """A file that is no readable Python under an importable name is refused in one line."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DefinitionError, match=words):
        read_source(tmp_path / name)


def test_a_declared_encoding_is_obeyed(tmp_path: Path):
    """A file that declares latin-1 is read as latin-1."""
    (tmp_path / "accents.py").write_bytes("# coding: latin-1\ndef main(): print('é')".encode("latin-1"))

    assert "é" in read_source(tmp_path / "accents.py").files[MAIN]


def test_a_folder_without_python_is_refused(tmp_path: Path):
    """A folder that holds no Python file is no module."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(DefinitionError, match="holds no Python file"):
        read_source(tmp_path / "empty")


def test_reading_runs_nothing(tmp_path: Path):
    """The text of a module is not executed when it is read."""
    source = source_from_text(MAIN_ONLY + f"open({os.fspath(tmp_path / 'ran')!r}, 'w')", "worker")

    assert isinstance(source, ModuleSource)
    assert not (tmp_path / "ran").exists()
