"""Scripts that start nodes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

START = "from manta_nb import Session\n\nwith Session(nodes=1) as s:\n    print(s.nodes)\n"


def told(path: Path, text: str, *words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of Python on this script."""
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *words, str(path)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=path.parent,
        timeout=50,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_script_without_a_guard_is_one_line(tmp_path: Path) -> None:
    """It names the script, the line and what to type; no process was started that would say the same."""
    code, out, errors = told(tmp_path / "mine.py", START)

    last = errors.splitlines()[-1]
    assert (code, out) == (1, "")
    assert "mine.py, line 3" in last
    assert 'put what it does under if __name__ == "__main__":' in last
    assert errors.count("Traceback") == 1


def test_a_script_of_ipython_is_one_line(tmp_path: Path) -> None:
    """The processes of nodes could not read it."""
    text = '%load_ext manta_nb\nget_ipython().run_line_magic("manta", "start --nodes 1")\n'

    _, out, errors = told(tmp_path / "mine.ipy", text, "-m", "IPython", "--colors=NoColor")

    assert "mine.ipy is not plain Python" in out + errors
    assert "Traceback" not in out + errors


def test_a_script_on_stdin_is_one_line() -> None:
    """There is no file that the processes of nodes could read."""
    done = subprocess.run(
        [sys.executable, "-"], input=START, capture_output=True, text=True, check=False, timeout=50
    )

    assert "UsageError: nodes cannot start from a script on stdin" in done.stderr.splitlines()[-1]


@pytest.mark.cluster
def test_a_script_with_a_guard_runs(tmp_path: Path) -> None:
    """What is under it runs once."""
    guarded = START.replace("with", 'if __name__ == "__main__":\n  with')

    code, out, _ = told(tmp_path / "mine.py", guarded)

    assert code == 0
    assert out.count("node_0") == 1
