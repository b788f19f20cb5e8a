"""The seeds' swarm where the real Manta SDK is installed, too: its newest release has no `manta.module`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm"
RELEASE = "mantatech-sdk==0.6b5.dev807"


@pytest.fixture(scope="module")
def real_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real SDK alone; none of its own dependencies is needed to stand in the way."""
    folder = tmp_path_factory.mktemp("real-sdk")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        RELEASE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"{RELEASE} could not be installed here: {done.stderr.strip()[-120:]}")
    return folder


def test_the_seeds_run_beside_the_real_sdk(real_sdk: Path, tmp_path: Path) -> None:
    """The swarm runs on our packages, on the nodes as well, and one line says that the real ones are shadowed."""
    words = ["--nodes", "2", "--data", "mnist_part=digits", "--iterations", "2", "--json"]
    command = [sys.executable, "-m", "manta_nb", "run", str(SEEDS / "swarm.py"), *words]
    environment = {**os.environ, "PYTHONPATH": str(real_sdk)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=170, check=False
    )

    assert done.returncode == 0, done.stderr
    given = json.loads(done.stdout)
    assert (given["status"], given["iterations"]) == ("completed", 2)
    assert "mantatech-sdk" in done.stderr and "shadowed" in done.stderr
