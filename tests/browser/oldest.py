"""The oldest JupyterLab and ipykernel that are supported, in a venv of their own under `build/`."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["OLDEST", "python_of_the_oldest"]

ROOT = Path(__file__).parents[2]
#: the lower bounds of pyproject.toml; ipykernel before 7, whose comms wait for the running cell
OLDEST = ("jupyterlab==4.2.*", "ipykernel==6.31.*", "ipywidgets==8.1.*", "anywidget==0.9.18")


def python_of_the_oldest() -> str:
    """The Python of that venv, which is made where it is not there yet.

    What it lacks (manta_nb, Dask, torch) it takes from the Python that runs the tests; the extension is that of this
    folder.

    Raises:
        subprocess.CalledProcessError: pip could not install it, as without a network.
    """
    folder = ROOT / "build" / "venvs" / "lab-oldest"
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    wanted = "\n".join((*OLDEST, sys.version))
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _install(folder, python)
        stamp.write_text(wanted, encoding="utf-8")
    link = folder / "share" / "jupyter" / "labextensions" / "manta-nb"
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT / "manta_nb" / "labextension")
    return str(python)


def _install(folder: Path, python: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=60)
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        *OLDEST,
    ]
    subprocess.run(pip, check=True, timeout=280, capture_output=True, text=True)
    # after pip, which else would take for installed what is not the venv's own
    link = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (packages / "zz_tests_python.pth").write_text(link, encoding="utf-8")
