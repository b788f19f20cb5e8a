"""`import manta_nb` costs next to nothing, and loads nothing that takes long."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "IPython",
    "anywidget",
    "dask",
    "distributed",
    "ipywidgets",
    "matplotlib",
    "numpy",
    "pandas",
    "sklearn",
)


def printed(code: str) -> str:
    """What a fresh Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", [*HEAVY, "sqlite3", "torch"])
def test_import_loads_nothing_heavy(name: str) -> None:
    """Dask, Jupyter, torch, SQLite and the rest come when they are used."""
    assert printed(f"import sys, manta_nb; print({name!r} in sys.modules)").strip() == "False"


def test_import_takes_no_time() -> None:
    """The best of five is below 0.15 s, with all of Python's own modules it needs."""
    code = "import time; t = time.perf_counter(); import manta_nb; print(time.perf_counter() - t)"

    assert min(float(printed(code)) for _ in range(5)) < 0.15


def test_help_of_the_command_line_loads_no_dask() -> None:
    """`manta-nb run --help` answers at once."""
    code = (
        "import sys; from manta_nb.cli.main import main; main(['run', '--help']);"
        "print([name for name in ('dask', 'IPython', 'torch') if name in sys.modules])"
    )

    assert printed(code).strip().splitlines()[-1] == "[]"
