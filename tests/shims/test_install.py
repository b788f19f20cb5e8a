"""The compatible packages on the path: first, last, off, and beside real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from manta_nb.errors import UsageError
from manta_nb.shims import environment, install, shim_folder

NAMES = [
    "Globals",
    "Local",
    "Results",
    "Task",
    "World",
    "bytes_to_dict",
    "bytes_to_numpy",
    "bytes_to_torchmodel",
    "dict_to_bytes",
    "numpy_to_bytes",
    "torchmodel_to_bytes",
]


def python(code: str, *, folder: Path | None = None, shims: bool = False) -> object:
    """What `code`, run in a fresh Python with `folder` on its path, prints as JSON."""
    env = dict(os.environ) | ({"PYTHONPATH": str(folder)} if folder else {})
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(env) if shims else env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A folder like site-packages that holds an installed distribution with a package `manta`."""
    (tmp_path / "manta").mkdir()
    (tmp_path / "manta" / "__init__.py").write_text("REAL = True\n")
    info = tmp_path / "mantatech_sdk-0.6b5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mantatech-sdk\nVersion: 0.6b5\n")
    (info / "top_level.txt").write_text("manta\n")
    (info / "RECORD").write_text("manta/__init__.py,,\n")
    return tmp_path


def test_every_import_of_generation_a_works():
    """The names and submodules that programs for Manta import are there, and are manta_nb's own."""
    code = f"""
import json
from manta_nb.shims import install
install()
import manta, manta_light, manta.light, manta_nb.sdk.module as m, manta_nb.sdk.task as t
from manta.module import Module
from manta.swarm import Swarm
for package in ("manta.light", "manta_light"):
    module = __import__(package, fromlist=["*"])
    assert {NAMES!r} == module.__all__ and all(hasattr(module, name) for name in module.__all__)
    for part in "task world globals results local utils".split():
        inner = __import__(f"{{package}}.{{part}}", fromlist=["*"])
        assert all(hasattr(inner, name) for name in inner.__all__)
from manta_light.utils import numpy_to_bytes
print(json.dumps([Module is m.Module, manta.light.Task is t.Task, hasattr(manta, "Task")]))
"""

    assert [True, True, False] == python(code)


def test_the_packages_load_nothing_heavy():
    """Importing the compatible packages loads no torch, Dask or Jupyter."""
    code = """
import json, sys
from manta_nb.shims import install
install()
import manta, manta_light, manta.module, manta.swarm, manta.light.utils
print(json.dumps(sorted({"torch", "dask", "distributed", "IPython", "pandas", "sqlite3"} & {*sys.modules})))
"""

    assert [] == python(code)


def test_importing_manta_nb_shims_imports_no_shim():
    """The package of the shims itself brings none of them in."""
    assert [] == python(
        "import json, sys, manta_nb.shims; print(json.dumps([n for n in sys.modules if n == 'manta']))"
    )


def test_first_shadows_a_real_one_and_says_so(real: Path):
    """Ours come first; one line names the distribution that is hidden, its version, and how to change it."""
    code = "import json; from manta_nb.shims import install; n = install(); import manta.module; print(json.dumps(n))"

    line = (
        "the installed mantatech-sdk (manta 0.6b5) is shadowed by manta_nb's own manta in this kernel; "
        '%config MantaMagics.shims = "last" changes it'
    )
    assert [line] == python(code, folder=real)


@pytest.mark.parametrize("position", ["last", "off"])
def test_last_and_off_leave_a_real_one(real: Path, position: str):
    """With "last" or "off" a real package is imported, also where ours was imported before."""
    code = f"""
import json
from manta_nb.shims import install
install()
import manta.module
notes = install({position!r})
import manta
print(json.dumps([notes, manta.REAL]))
"""

    assert [[], True] == python(code, folder=real)


def test_last_offers_ours_where_there_is_no_real_one(tmp_path: Path):
    """With "last" and nothing installed ours is found; with "off" it is not."""
    code = """
import importlib.util, json, sys
from manta_nb.shims import install
answers = []
for position in ("last", "off"):
    install(position)
    answers.append(importlib.util.find_spec("manta_light") is not None)
print(json.dumps(answers))
"""

    assert [True, False] == python(code, folder=tmp_path)


def test_an_imported_real_one_is_left_alone(real: Path):
    """A real package that is already imported stays, and one line says so."""
    code = """
import json, manta
from manta_nb.shims import install
notes = install()
import manta
print(json.dumps([len(notes), notes[0][:33], "restart" in notes[0], manta.REAL]))
"""

    assert [1, "manta was already imported from …", True, True] == python(code, folder=real)


def test_a_mere_folder_shadows_nothing(tmp_path: Path):
    """A folder called manta without Python code is no installation."""
    (tmp_path / "manta").mkdir()

    assert [] == python(
        "import json; from manta_nb.shims import install; print(json.dumps(install()))", folder=tmp_path
    )


def test_install_twice_is_once():
    """The folder is on the path once, however often it is put there."""
    before = sys.path[:]
    try:
        install()
        install()
        count = sys.path.count(str(shim_folder()))
    finally:
        sys.path[:] = before

    assert 1 == count


def test_a_position_is_one_of_three():
    """A wrong position is refused."""
    with pytest.raises(UsageError, match='"first", "last" or "off"'):
        install("sometimes")  # type: ignore[arg-type]


def test_a_started_python_sees_them(real: Path):
    """With `environment` a process that is started imports ours, before a real one."""
    code = "import json, manta.module, manta_light; print(json.dumps(manta.__file__))"

    assert str(shim_folder()) in str(python(code, folder=real, shims=True))


def test_the_environment_is_a_copy():
    """The environment keeps what PYTHONPATH held, and can be taken back."""
    path = os.pathsep.join(["/a", "/b"])
    env = {"PYTHONPATH": path, "HOME": "/"}
    changed = environment(env)

    assert f"{shim_folder()}{os.pathsep}{path}" == changed["PYTHONPATH"]
    assert changed == environment(changed)
    assert env == environment(changed, "off")
    assert {} == environment(environment({}), "last")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("manta_common") is None, reason="mantatech-sdk is not installed")
def test_beside_the_real_sdk():
    """With mantatech-sdk installed the imports of generation A still work, and one line names it."""
    code = "import json; from manta_nb.shims import install; n = install(); import manta.module; print(json.dumps(n))"
    notes = python(code)

    assert isinstance(notes, list)
    assert notes[0].startswith("the installed mantatech-sdk (manta 0.")
