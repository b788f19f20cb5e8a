"""Start-up: 8 nodes against a bare `LocalCluster(8)`, 50 node processes, `import manta_nb` and `%load_ext`.

Every start is made in a fresh process, ours and the peer's in turn; imports of Dask and manta_nb are not counted.
Memory is proportional (PSS), summed over all processes of the cluster but the kernel's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.report import Figure, Say, machine, parser, save, table

__all__ = ["run"]

ROOT = Path(__file__).parent.parent
IPYTHON = [sys.executable, "-m", "IPython", "--quick", "--no-banner", "--colors=NoColor"]


def _probe(who: str, nodes: int, idle: float = 0) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.startup_probe", who, str(nodes), str(idle)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-1500:]}")
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _against_dask(repeats: int, say: Say) -> list[Figure]:
    ours, peers = [], []
    for _ in range(repeats):
        ours.append(_probe("ours", 8))
        peers.append(_probe("dask", 8))
        say(f"startup: 8 nodes {ours[-1]['seconds']:.2f} s, bare LocalCluster {peers[-1]['seconds']:.2f} s")
    figures = []
    for what, unit, bar in (("seconds", "s", 0.5), ("cluster MB", "MB", 0.3)):
        mine, theirs = (median(told[what] for told in side) for side in (ours, peers))
        figures.append(
            Figure(
                f"8 nodes up with torch, {'time' if unit == 's' else 'memory'}",
                mine / theirs,
                bar=bar,
                detail=f"{mine:.2f} {unit}, bare LocalCluster(8) {theirs:.2f} {unit}",
                numbers={"ours": ours, "peer": peers},
            )
        )
    return figures


def _fifty(say: Say) -> list[Figure]:
    told = _probe("ours", 50, idle=10)
    say(f"startup: 50 node processes {told['seconds']:.1f} s, {told['cluster MB']:.0f} MB")
    return [
        Figure("50 node processes up with torch", told["seconds"], "s", 10, numbers=told),
        Figure(
            "50 node processes, memory",
            (told["cluster MB"] + told["kernel MB"]) / 1000,
            "GB",
            2.5,
            detail=f"{told['processes']:.0f} processes, the kernel's own {told['kernel MB']:.0f} MB included",
        ),
        Figure("50 node processes, idle", told["idle % of a core"], "% of a core", 10, detail="over 10 s"),
    ]


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    return time.perf_counter() - start


def _beyond(bare: list[str], full: list[str], repeats: int) -> tuple[float, float]:
    """Median seconds of `bare`, and what `full` takes beyond it; both in fresh processes, in turn."""
    # the first start reads files from disk
    _seconds(full)
    pairs = [(_seconds(bare), _seconds(full)) for _ in range(repeats)]
    least = median(pair[0] for pair in pairs)
    return least, median(pair[1] for pair in pairs) - least


def _imports(repeats: int, say: Say) -> list[Figure]:
    python = [sys.executable, "-c"]
    bare, took = _beyond([*python, "pass"], [*python, "import manta_nb"], repeats)
    shell, loaded = _beyond([*IPYTHON, "-c", "pass"], [*IPYTHON, "-c", "%load_ext manta_nb"], repeats)
    say(f"startup: import {took:.3f} s, %load_ext {loaded:.3f} s")
    return [
        Figure("import manta_nb", took, "s", 0.15, detail=f"beyond bare Python's {bare:.3f} s"),
        Figure("%load_ext manta_nb", loaded, "s", 0.3, detail=f"beyond bare IPython's {shell:.3f} s"),
    ]


def run(quick: bool, say: Say) -> list[Figure]:
    """All of it."""
    return [
        *_against_dask(1 if quick else 3, say),
        *_fifty(say),
        *_imports(3 if quick else 7, say),
    ]


def main() -> None:
    """From the command line."""
    given = parser(__doc__.splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["startup"], before)


if __name__ == "__main__":
    main()
