"""What numpy and Keras no longer have, and Keras's progress bar, in the programs of a swarm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque

from manta_nb.compat.processes.environment import SITE
from manta_nb.compat.processes.pump import Lines


def python(text: str) -> list[str]:
    """What a program of a swarm prints; it has the hooks of such programs."""
    variables = {**os.environ, "PYTHONPATH": str(SITE), "MANTA_NB_SWARM_FD": "9"}
    done = subprocess.run(
        [sys.executable, "-c", text], env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    return [*done.stdout.split("\n")[:-1], *done.stderr.split("\n")[:-1]]


def test_what_numpy_had_is_there_for_scripts_only() -> None:
    """A library that asks for it learns numpy's real age; a name that never was stays unknown."""
    told = python(
        "import numpy as np\n"
        "print(np.float is float, np.array([1], dtype=np.float).dtype, np.float is float)\n"
        "exec(compile('print(hasattr(np, \"float\"))', '/x/site-packages/y.py', 'exec'))\n"
        "print(hasattr(np, 'nothing'))"
    )

    assert told == [
        "True float64 True",
        "False",
        "False",
        "manta-nb: numpy has no np.float any more: it is taken for float",
    ]


def test_looking_for_a_module_takes_nothing_from_its_import() -> None:
    """TensorFlow looks for keras before anybody imports it."""
    assert (
        python(
            "import importlib.util; importlib.util.find_spec('numpy'); import numpy; print(numpy.int is int)"
        )[0]
        == "True"
    )


def test_a_progress_bar_of_keras_is_one_line() -> None:
    """Its states are taken back with backspaces, and coloured: what stays is the last one; colours go."""
    heard: list[str] = []
    tail: deque[str] = deque()
    lines = Lines("stdout", lambda _, line: heard.append(line), tail)
    for state in range(1, 100):
        lines.take(b"\b" * 20 * (state > 1) + b"\r\x1b[1m%d/99\x1b[0m loss: 1" % state)
    lines.take(b"\nTraining \x1b[32mdone!\x1b[0m\n")

    assert list(tail) == ["99/99 loss: 1", "Training done!"]
    assert heard[0] == "1/99 loss: 1" and heard[-2:] == list(tail) and len(heard) < 10
