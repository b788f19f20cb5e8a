"""What this machine has for manta_nb, and what to do about what it has not: `%manta doctor`, `manta-nb doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, Literal

import psutil

from manta_nb import __version__
from manta_nb.compat.swarm_learning.nodes.isolation import inside
from manta_nb.errors import PackageError
from manta_nb.render import Card, Shown
from manta_nb.runtime.capabilities import Capabilities, probe
from manta_nb.session import labextension

__all__ = ["Finding", "Report", "report"]

#: `good`: as it should be; `lacks`: a part that runs do without; `missing`: nothing runs without it
State = Literal["good", "lacks", "missing"]

_MARKS: Mapping[State, str] = MappingProxyType({"good": "✓", "lacks": "–", "missing": "✗"})
#: what a run on this machine needs, and what a notebook needs
_NEEDED = ("numpy", "dask", "distributed", "torch", "cryptography", "psutil")
_NOTEBOOK = ("ipykernel", "ipywidgets", "anywidget", "matplotlib", "pandas", "scikit-learn")
_STARTS = MappingProxyType(
    {
        "fork": "forked from a prepared process: a task's child starts in milliseconds",
        "exec": "a new Python for each worker and run: about a second",
        "spawn": "spawned: about a second",
        "inline": "none: tasks run in the workers themselves (MANTA_NB_START)",
    }
)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    state: State
    #: what there is
    found: str
    #: what to do about it; "" where nothing has to be done
    advice: str = ""

    def __str__(self) -> str:
        return f"{_MARKS[self.state]} {self.name}: {self.found}" + (f" → {self.advice}" * bool(self.advice))


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """All findings; in a notebook a card, in a terminal a line each.

    Example:
        >>> report().ready
        True
    """

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether a swarm can run on this machine."""
        return all(finding.state != "missing" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {"ready": self.ready, "findings": [asdict(finding) for finding in self.findings]}

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        title = "ready: swarms run on this machine" if self.ready else "not ready: see the lines with ✗"
        return Card(title, self.findings)


def report() -> Report:
    """Look at this machine; takes about a second where a container engine has to be asked."""
    return Report(tuple(_findings()))


def _findings() -> Iterator[Finding]:
    yield Finding("manta-nb", "good", _version("manta-nb") or "not installed as a package")
    yield Finding("Python", "good", f"{platform.python_version()} in {sys.prefix}, {platform.platform()}")
    yield from (_package(name, "missing") for name in _NEEDED)
    yield from (_package(name, "lacks") for name in _NOTEBOOK)
    yield _cores()
    yield _memory()
    yield from _ways(probe())
    yield _tls()
    yield _containers()
    yield _platform_paths()
    yield from _jupyter()
    yield _browser()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _package(name: str, without: State) -> Finding:
    found = _version(name)
    return (
        Finding(name, "good", found) if found else Finding(name, without, "not there", f"pip install {name}")
    )


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("cores", "good", f"{usable} usable")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    if memory.available < 1e9:
        return Finding(
            "memory", "lacks", found, "a node with torch takes about 30 MB of its own; close something"
        )
    return Finding("memory", "good", found)


def _ways(capabilities: Capabilities) -> Iterator[Finding]:
    state: State = "good" if capabilities.start == "fork" else "lacks"
    advice = "" if state == "good" else "runs the same, starts slower"
    yield Finding("child processes", state, _STARTS[capabilities.start], advice)
    if capabilities.shared_values:
        yield Finding("shared memory", "good", "values stay in memory that nodes share")
    else:
        yield Finding("shared memory", "lacks", "values are copied between nodes", "runs the same, slower")


def _tls() -> Finding:
    found = _version("cryptography")
    if not found:
        return Finding("TLS", "missing", "no certificates can be made", "pip install cryptography")
    return Finding(
        "TLS", "good", "nodes talk through mutual TLS on 127.0.0.1, with certificates made per session"
    )


def _containers() -> Finding:
    """The first engine that answers; a client without its service is no engine."""
    silent = ""
    for engine in ("podman", "docker"):
        if shutil.which(engine) is None:
            continue
        answer = _ask([engine, "info", "--format", "{{.ServerVersion}}" if engine == "docker" else "json"])
        if answer:
            return Finding(
                "container engine", "good", f"{engine} answers; this version runs no module in it yet"
            )
        silent = engine
    plain = "every module runs in the nodes' own Python, whatever image it names"
    found = f"{silent} is there but does not answer" if silent else "none"
    return Finding("container engine", "lacks", found, plain)


def _platform_paths() -> Finding:
    """Whether each node can have its own `/platform/swarmml/…`, as scripts for Swarm Learning may ask."""
    try:
        inside(["true"], {}, "/")
    except PackageError as error:
        advice = "only scripts for Swarm Learning that name /platform/… need it: apt install bubblewrap"
        found = "no bubblewrap" if shutil.which("bwrap") is None else str(error)
        return Finding("/platform of each node", "lacks", found, advice)
    return Finding("/platform of each node", "good", "bubblewrap works")


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _jupyter() -> Iterator[Finding]:
    lab = _version("jupyterlab")
    if not lab:
        yield Finding("JupyterLab", "lacks", "not there", "pip install jupyterlab")
        return
    yield Finding("JupyterLab", "good", lab)
    kernel = _version("ipykernel")
    if kernel and int(kernel.partition(".")[0]) < 7:
        found = f"none: ipykernel {kernel}"
        yield Finding(
            "subshells", "lacks", found, "pip install 'ipykernel>=7', so that buttons act while a cell runs"
        )
    found, advice = labextension.find(labextension.folders(), __version__)
    if advice:
        yield Finding("JupyterLab extension", "lacks", found, f"{advice}; notebooks do without it")
    else:
        yield Finding("JupyterLab extension", "good", found)


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found:
        return Finding("browser for tests", "good", found)
    return Finding(
        "browser for tests", "lacks", "no Chromium", "only the project's own browser tests need one"
    )
