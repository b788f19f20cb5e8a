"""What a benchmark reports: figures with their bars, the machine, a table and a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

__all__ = ["RESULTS", "Figure", "Say", "machine", "parser", "save", "table"]

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("distributed", "dask", "numpy", "torch", "flwr", "ray")

#: told in single lines what goes on
Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured, such as "dispatch 100 × 0.2 MB".
        value: the figure itself: a ratio, or an amount of `unit`.
        unit: "×" for ratios, else "s", "MB", "% of a core".
        bar: the most it may be, or the least where `least`; None: reported only.
        detail: both sides of the ratio, in words.
        numbers: everything else, for the JSON file.
    """

    name: str
    value: float
    unit: str = "×"
    bar: float | None = None
    least: bool = False
    detail: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.least else self.value <= self.bar

    def line(self) -> list[str]:
        """Its row of the table."""
        mark = {None: "", True: "met", False: "MISSED"}[self.met]
        sign = "≥" if self.least else "≤"
        bar = "" if self.bar is None else f"{sign} {self.bar:g} {self.unit}"
        return [self.name, f"{self.value:.3g} {self.unit}", bar, mark, self.detail]


def machine() -> dict[str, Any]:
    """The machine and how busy it is now."""
    return {
        "cores": os.cpu_count(),
        "usable cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory GB": round(psutil.virtual_memory().total / 2**30, 1),
        "free memory GB": round(psutil.virtual_memory().available / 2**30, 1),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def table(figures: Sequence[Figure]) -> str:
    """The figures in aligned columns."""
    rows = [["figure", "measured", "bar", "", "how"], *(figure.line() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
    return "\n".join(lines)


def save(figures: Sequence[Figure], names: Sequence[str], before: dict[str, Any]) -> list[Path]:
    """Write the figures as JSON, under the date and as `latest.json`; returns the paths.

    In `latest.json` figures of benchmarks that were not run this time are kept.
    """
    RESULTS.mkdir(exist_ok=True)
    now = time.strftime("%Y-%m-%dT%H:%M:%S")
    fresh = [{**asdict(figure), "met": figure.met, "measured": now} for figure in figures]
    state = {"date": now, "benchmarks": list(names), "machine": before, "load after": list(os.getloadavg())}
    dated, latest = RESULTS / f"{now.replace(':', '')}.json", RESULTS / "latest.json"
    known = json.loads(latest.read_text(encoding="utf-8"))["figures"] if latest.exists() else []
    told = {figure["name"] for figure in fresh}
    merged = [*(old for old in known if old["name"] not in told), *fresh]
    for path, content in ((dated, fresh), (latest, merged)):
        text = json.dumps({**state, "figures": content}, indent=1, ensure_ascii=False, default=str)
        path.write_text(text + "\n", encoding="utf-8")
    return [dated, latest]


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with what all benchmarks have in common."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="fewer repeats: minutes become seconds")
    return made
