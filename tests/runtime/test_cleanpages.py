"""Pages of libraries that only their import needed are given back, and come back where they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manta_nb.runtime import cleanpages

WORKS = """
import ctypes, numpy, psutil, ssl
from manta_nb.runtime.cleanpages import give_back

def clean():
    return sum(each.private_clean + each.shared_clean for each in psutil.Process().memory_maps())

before = clean()
given = give_back()
after = clean()
assert numpy.linalg.norm(numpy.eye(50)) > 7 and ssl.create_default_context() is not None
print(given, before, after)
"""


def test_a_system_that_does_not_tell_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A forkserver in a sandbox without smaps starts as elsewhere."""
    monkeypatch.setattr(cleanpages, "SMAPS", tmp_path / "smaps")

    assert cleanpages.give_back() == 0


@pytest.mark.skipif(
    not cleanpages.SMAPS.exists(), reason="this system does not tell what a process has mapped"
)
def test_a_process_goes_on_with_less_memory() -> None:
    """Half of what it has read of files is let go of at least, and everything works as before."""
    told = subprocess.run(
        [sys.executable, "-c", WORKS], capture_output=True, text=True, timeout=50, check=True
    )
    given, before, after = map(int, told.stdout.split())

    assert given > 10
    assert after < before / 2
