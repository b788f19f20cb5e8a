"""manta_nb as a person installs it: the wheel of this checkout with all that it asks for, in a venv of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["python_with_the_wheel"]

ROOT = Path(__file__).parents[2]
_PIP = ("--quiet", "--disable-pip-version-check", "--no-input")


def python_with_the_wheel(folder: Path) -> tuple[str, Path]:
    """The Python of that venv, under `build/`, and the wheel, which is made in `folder`.

    The venv is made where it is not there yet, from nothing, which takes minutes; later the wheel alone is put in
    its place.

    Raises:
        subprocess.CalledProcessError: pip could not install it, as without a network.
    """
    _run([sys.executable, "-m", "pip", "wheel", *_PIP, "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    wheel = next(folder.glob("*.whl"))
    venv = ROOT / "build" / "venvs" / "wheel"
    python, stamp = venv / "bin" / "python", venv / "installed"
    metadata = (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    wanted = hashlib.sha256(metadata).hexdigest()
    pip = [str(python), "-m", "pip", "install", *_PIP]
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _run([sys.executable, "-m", "venv", "--clear", str(venv)])
        _run([*pip, "-c", str(ROOT / "constraints.txt"), str(wheel)])
        stamp.write_text(wanted, encoding="utf-8")
    else:
        _run([*pip, "--no-deps", "--force-reinstall", str(wheel)])
    return str(python), wheel


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=400, capture_output=True, text=True, cwd=ROOT.parent)
