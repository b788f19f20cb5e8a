"""What `doctor` says of the JupyterLab extension."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_path

from manta_nb.session.labextension import find, folders


def installed(folder: Path, text: str, name: str = "package.json") -> Path:
    (folder / "manta-nb").mkdir(parents=True)
    (folder / "manta-nb" / name).write_text(text, encoding="utf-8")
    return folder


def test_one_that_is_there(tmp_path: Path) -> None:
    """It is found in the first folder that has it, and nothing has to be done."""
    lab = installed(tmp_path / "two", '{"version": "0.1.0"}')

    assert find([tmp_path / "one", lab], "0.1.0") == (f"0.1.0 in {lab / 'manta-nb'}", "")


def test_one_of_another_version(tmp_path: Path) -> None:
    """A page of another version would not understand the kernel: it says which, and what to do."""
    found, advice = find([installed(tmp_path, '{"version": "0.0.9"}')], "0.1.0")

    assert found.startswith("0.0.9 in") and "0.1.0" in found
    assert "pip install" in advice


def test_one_that_could_not_be_built(tmp_path: Path) -> None:
    """An installation without Node goes on; here it says why there is no sidebar."""
    found, advice = find([installed(tmp_path, "npm: not found\n", "not-built.txt")], "0.1.0")

    assert found == "not built: npm: not found"
    assert "make build" in advice


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', "{", "null"])
def test_a_broken_one_is_none(tmp_path: Path, text: str) -> None:
    """What JupyterLab could not read either does not count."""
    assert find([installed(tmp_path, text)], "0.1.0")[0] == "none"


def test_it_looks_where_jupyter_looks() -> None:
    """Every folder in which this Python's JupyterLab would find it is looked into, its own environment's included."""
    wanted = {Path(each).resolve() for each in jupyter_path("labextensions")}
    system = {each for each in wanted if each.is_relative_to("/usr") or each.is_relative_to("/etc")}

    assert Path(sys.prefix, "share", "jupyter", "labextensions").resolve() in wanted
    assert wanted - system <= {each.resolve() for each in folders()}


def test_a_path_of_jupyters_own_comes_first(tmp_path: Path) -> None:
    """`JUPYTER_PATH` names folders that are looked into before all others."""
    assert folders({"JUPYTER_PATH": str(tmp_path)})[0] == tmp_path / "labextensions"
