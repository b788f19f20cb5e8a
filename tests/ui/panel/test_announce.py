"""What a page has a kernel evaluate silently so that past runs are seen before any cell has run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "extension" / "src" / "lab" / "announce.ts"


@pytest.mark.timeout(60)
def test_nothing_is_imported_from_the_folder_of_a_notebook(tmp_path: Path) -> None:
    """A `manta_nb.py` beside a stranger's notebook is not executed, and the path is what it was afterwards."""
    found = re.search(r"const CODE = `(.+?)`", SOURCE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    for name in ("manta_nb.py", "numpy.py", "IPython.py"):
        (tmp_path / name).write_text("open('executed', 'w').close()\n", encoding="utf-8")
    script = (
        "import sys\nsys.path.insert(0, '')\nbefore = sys.path[:]\n"
        f"exec({found[1]!r}, {{}})\n"
        "print(sys.path == before, sorted(name for name in globals() if name[:2] != '__'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )

    assert done.stdout.split("\n")[0] == "True ['before', 'sys']", done.stderr
    assert not (tmp_path / "executed").exists()
