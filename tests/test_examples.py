"""The examples run as their READMEs say."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
COMMANDS = [
    pytest.param(readme.parent, line, id=f"{readme.parent.name}-{number}")
    for readme in sorted(EXAMPLES.glob("*/README.md"))
    for number, line in enumerate(
        re.findall(r"^manta-nb run .+$", readme.read_text(encoding="utf-8"), re.MULTILINE)
    )
]


@pytest.mark.cluster
@pytest.mark.notebook
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("folder", "line"), COMMANDS)
def test_a_line_of_a_readme_runs(folder: Path, line: str) -> None:
    """Typed in the example's folder, each `manta-nb run …` completes, and its model is good."""
    words = [word for word in shlex.split(line)[1:] if word != "--json"]
    command = [sys.executable, "-m", "manta_nb", *words, "--json"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    given = json.loads(done.stdout)
    last = [row["value"] for row in given["metrics"] if row["iteration"] == given["iterations"] - 1]

    assert given["status"] == "completed"
    assert max(last) > 0.9
