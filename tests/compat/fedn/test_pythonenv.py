"""What a package asks for, what of it is there, and an environment of its own."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from manta_nb.compat.fedn.package.archive import read_package
from manta_nb.compat.fedn.python.pythonenv import (
    build,
    check,
    look_at_python,
    missing_imports,
    missing_in_tail,
    parse_python_env,
    read_environment,
)
from manta_nb.errors import PackageError
from tests.compat.fedn.packages import FILES, write_package

PUBLISHED = """\
name: mnist-pytorch
python: python3.9
build_dependencies:
  - pip
dependencies:
  - fedn==0.9.0
  - torch==0.1; sys_platform == "nowhere"
  # a comment
  - numpy
  - sklearn
"""


def test_a_published_file_is_read_without_fedn() -> None:
    """The shim is there instead; `python` is accepted and, as in FEDn, means nothing."""
    env = parse_python_env(PUBLISHED)

    assert env.with_fedn
    assert env.dependencies == ('torch==0.1; sys_platform == "nowhere"', "numpy", "sklearn")
    assert env.build_dependencies == ("pip",)
    assert env.notes == ()


def test_an_unknown_key_is_a_note() -> None:
    """FEDn would fail over it."""
    assert parse_python_env("dependencies: []\nchannel: x\n").notes == (
        "python_env.yaml: channel means nothing here",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dependencies: numpy\n", "dependencies in python_env.yaml must be a list"),
        ("dependencies:\n  - numpy: 1\n", "dependencies in python_env.yaml must be a list"),
        ("dependencies:\n - [\n", "python_env.yaml, line"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, told: str) -> None:
    """In one line, with the file."""
    with pytest.raises(PackageError, match=told):
        parse_python_env(text)


def test_only_what_is_unmet_is_said() -> None:
    """Markers decide what counts, `sklearn` is scikit-learn, a local version (`+cpu`) is the same version."""
    torch = importlib.metadata.version("torch")
    public = torch.partition("+")[0]
    elsewhere = 'torch==0.2; python_version < "3"'
    lines = [f"torch=={public}", "torch==0.1", "sklearn", "fedn", "no-such-thing>=2", "./local", elsewhere]
    env = parse_python_env("dependencies:\n" + "".join(f"  - '{line}'\n" for line in lines))

    assert check(env) == [
        f"python_env.yaml asks for torch==0.1, this node has {torch}",
        "python_env.yaml asks for no-such-thing>=2, which is not installed: pip install 'no-such-thing>=2'",
        "python_env.yaml asks for ./local, which only pip could check",
    ]


def test_another_python_is_asked_itself(tmp_path: Path) -> None:
    """What is installed there counts, not what is installed here."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)

    notes = check(parse_python_env("dependencies: [numpy]\n"), str(tmp_path / "bare" / "bin" / "python"))

    assert notes == ["python_env.yaml asks for numpy, which is not installed: pip install numpy"]
    with pytest.raises(PackageError, match="cannot be asked what is installed"):
        check(parse_python_env("dependencies: []\n"), str(tmp_path / "nothing"))


def test_missing_imports_name_the_command() -> None:
    """Under the name of the distribution; what `manta-nb[fedn]` brings by that."""
    sources = {
        "train.py": "import no_such_module.sub\nfrom also_not_there import x\nimport numpy, os, fedn\n"
    }

    assert missing_imports(sources) == [
        "train.py imports no_such_module, which is not installed: pip install no_such_module",
        "train.py imports also_not_there, which is not installed: pip install also_not_there",
    ]


def test_only_imports_that_happen_in_any_case_count() -> None:
    """Not those in `try`, `if` and functions, not the package's own modules, not after `sys.path` was changed."""
    sources = {
        "train.py": "try:\n    import nope1\nexcept ImportError:\n    pass\nif 0:\n    import nope2\n"
        "def f():\n    import nope3\nimport model, sub.deep\nfrom . import x\nfrom .nope4 import y\n",
        "lib/model.py": "",
        "sub/deep.py": "",
        "odd.py": "import sys\nsys.path.append('..')\nimport nope5\n",
        "broken.py": "import nope6\nprint 'old'\n",
    }

    assert missing_imports(sources) == []


def test_only_programs_that_are_called_count() -> None:
    """And what they import of the package: what is only beside them may ask for anything."""
    sources = {"train.py": "import data\n", "data.py": "import nope1\n", "explore.py": "import nope2\n"}

    lines = missing_imports(sources, ["python", "./train.py"])

    assert lines == ["data.py imports nope1, which is not installed: pip install nope1"]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (
            "ModuleNotFoundError: No module named 'cv2'",
            "cv2 is not installed: pip install opencv-python-headless",
        ),
        (
            "ModuleNotFoundError: No module named 'sklearn.svm'",
            "sklearn is not installed: pip install scikit-learn",
        ),
        (
            "ModuleNotFoundError: No module named 'fire'",
            "fire is not installed: pip install 'manta-nb[fedn]'",
        ),
        ("ModuleNotFoundError: No module named 'model'", None),
        ("ValueError: No module", None),
    ],
)
def test_a_failure_for_want_of_a_module_is_explained(last: str, told: str | None) -> None:
    """By the last lines; a module of the package itself is another matter."""
    assert missing_in_tail(["Traceback", last, ""], ["model.py"]) == told


def test_what_a_package_wants_is_looked_at_together(tmp_path: Path) -> None:
    """Its file, where it has the one it names, and the imports of its programs."""
    files = {
        "fedn.yaml": f"python_env: env.yaml\n{FILES['fedn.yaml']}".replace("./entrypoint", "python e.py"),
        "e.py": "import nope1\n",
    }
    named = read_package(write_package(tmp_path / "a", files))
    complete = read_package(write_package(tmp_path / "b", {**files, "env.yaml": "dependencies: [nope2]\n"}))

    assert look_at_python(named)[0] == "fedn.yaml names env.yaml, which the package does not have"
    assert ["nope2" in note for note in look_at_python(complete)] == [True, False]
    assert "nope1" in look_at_python(complete)[1]


def test_the_file_of_a_working_copy_is_read_from_within_it(tmp_path: Path) -> None:
    """A name that leads out of the package names nothing."""
    copy = write_package(tmp_path / "copy", {"env.yaml": "dependencies: [numpy]\n"})
    (tmp_path / "secret.yaml").write_text("dependencies: [other]\n", encoding="utf-8")

    found = read_environment(copy, "env.yaml")

    assert found is not None
    assert found.dependencies == ("numpy",)
    assert [None] * 3 == [read_environment(copy, name) for name in (None, "none.yaml", "../secret.yaml")]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels instead of the package index; pip looks nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("numpy", "pyyaml", "requests", "mine"):
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "VERSION = 1\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(
                f"{info}/WHEEL",
                "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_an_environment_is_built_once_and_after_a_kill_again(tmp_path: Path) -> None:
    """It has what was asked for, what the shim needs and what comes with FEDn, but no FEDn; then it is just there."""
    env, said = parse_python_env("dependencies: [fedn, mine==1.0]\n"), list[str]()
    root = tmp_path / "venvs"

    python = Path(build(env, root, said.append))
    first = list(said)
    again = build(parse_python_env("name: other\ndependencies: [fedn, mine==1.0]\n"), root, said.append)

    assert str(python) == again
    assert said == first != []
    look = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
    found = subprocess.run([python, "-c", look], capture_output=True, text=True, check=True).stdout
    assert {"mine", "numpy", "pyyaml", "requests"} <= set(found.replace("'", "").strip("[]\n").split(", "))
    assert "fedn" not in found
    # killed before it was complete, with half of it on disk
    (python.parent.parent / "manta-complete").unlink()
    (python.parent / "pip").unlink()
    assert build(env, root, said.append) == again
    assert len(said) > len(first)
    assert (python.parent / "pip").exists()


@pytest.mark.usefixtures("index")
def test_what_pip_cannot_install_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """Its last error in one line, and where all of it is."""
    env = parse_python_env("dependencies: [no-such-thing==9]\n")

    with pytest.raises(
        PackageError, match=r"cannot be installed: ERROR: No matching distribution.*see .*\.log"
    ):
        build(env, tmp_path / "venvs", lambda line: None)

    assert sorted(path.suffix for path in (tmp_path / "venvs").iterdir()) in ([".lock", ".log"], [".log"])
