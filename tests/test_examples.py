"""The examples run as their READMEs say."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def commands(pattern: str) -> list[object]:
    """The lines of the READMEs that match."""
    return [
        pytest.param(readme.parent, line, id=f"{readme.parent.name}-{number}")
        for readme in sorted(EXAMPLES.glob("*/README.md"))
        for number, line in enumerate(re.findall(pattern, readme.read_text(encoding="utf-8"), re.MULTILINE))
    ]


def run(folder: Path, line: str, *more: str) -> dict[str, Any]:
    """What a line, typed in the example's folder, reports."""
    words = [word for word in shlex.split(line)[1:] if word != "--json"]
    command = [sys.executable, "-m", "manta_nb", *words, *more, "--json"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("folder", "line"), commands(r"^manta-nb run .+$"))
def test_a_line_of_a_readme_runs(folder: Path, line: str) -> None:
    """Typed in the example's folder, each `manta-nb run …` completes, and its model is good."""
    given = run(folder, line)
    last = [row["value"] for row in given["metrics"] if row["iteration"] == given["iterations"] - 1]

    assert given["status"] == "completed"
    assert max(last) > 0.9


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("folder", "line"), commands(r"^manta-nb fedn run client .+$"))
def test_a_package_of_a_readme_runs(folder: Path, line: str, tmp_path: Path) -> None:
    """Typed in the example's folder, each `manta-nb fedn run …` completes without failures, and its model is good."""
    given = run(folder, line, "--model", str(tmp_path / "model.npz"))
    last = [
        row["metrics"]["test_accuracy"] for row in given["validations"] if row["round"] == given["rounds"]
    ]

    assert (given["status"], given["failures"]) == ("completed", [])
    assert min(last) > 0.9


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("folder", "line"), commands(r"^manta-nb swarm-learning run .+$"))
def test_a_script_of_a_readme_runs(folder: Path, line: str, tmp_path: Path) -> None:
    """Typed in the example's folder, each `manta-nb swarm-learning run …` ends with one good model on all nodes."""
    here = tmp_path / folder.name
    shutil.copytree(folder, here)
    for first in re.findall(r"^python .+$", (here / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        subprocess.run([sys.executable, *shlex.split(first)[1:]], cwd=here, check=True, timeout=60)
    given = run(here, line)
    nodes = given["nodes"].values()

    assert given["status"] == "completed"
    assert [node["exit_code"] for node in nodes] == [0, 0, 0]
    assert len({node["checksum"] for node in nodes}) == 1
    assert min(float(node["tail"][-1].split()[-1]) for node in nodes) > 0.75
    for node in nodes:
        assert node.get("evaluation", {"accuracy": 1})["accuracy"] > 0.75
    for kind in given.get("comparison", {}).values():
        assert kind
