"""The wheel: it holds the JupyterLab extension, and can be made where that cannot be built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import manta_nb

ROOT = Path(__file__).parents[1]
LAB = "share/jupyter/labextensions/manta-nb/"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def checkout(folder: Path) -> Path:
    """What git has of this checkout, with what was changed since."""
    listed = subprocess.run(
        [shutil.which("git") or "git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if not name.startswith(("tests/", "extension/fixtures/")) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def wheel(source: Path, folder: Path, path: str) -> dict[str, bytes]:
    """The files under `LAB` of the wheel made of `source`, where programs are found on `path`."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*pip, "--wheel-dir", str(folder), str(source)],
        env={**os.environ, "PATH": path},
        check=True,
        timeout=150,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as made:
        return {name.partition(LAB)[2]: made.read(name) for name in made.namelist() if LAB in name}


def test_nobody_needs_node(tmp_path: Path) -> None:
    """Without Node the wheel holds the committed extension, of manta-nb's own version, once."""
    built = wheel(checkout(tmp_path / "checkout"), tmp_path / "wheel", path="/nowhere")
    package = json.loads(built["package.json"])

    assert package["version"] == manta_nb.__version__
    assert package["jupyterlab"]["_build"]["load"] in built
    assert "course/01_first_swarm.ipynb" in built


def test_a_checkout_without_it_installs(tmp_path: Path) -> None:
    """Where the built files are gone and there is no Node, the wheel is made all the same, and says what it lacks."""
    source = checkout(tmp_path / "checkout")
    shutil.rmtree(source / "manta_nb" / "labextension")
    built = wheel(source, tmp_path / "wheel", path="/nowhere")

    assert list(built) == ["not-built.txt"]
    assert b"npm" in built["not-built.txt"]
