"""All benchmarks, or those named: `python -m benchmarks.run [dispatch flower … monitor] [--quick]`.

Prints a table of figures with their bars and the machine they were measured on, and writes them as JSON.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks import (
    dispatch,
    efficiency,
    faults,
    fedn,
    flower,
    kills,
    monitor,
    soak,
    startup,
    store,
    swarm_learning,
)
from benchmarks.report import Figure, Say, machine, parser, save, table

__all__ = ["BENCHMARKS", "main"]

#: name → the function that measures
BENCHMARKS: Mapping[str, Callable[[bool, Say], list[Figure]]] = MappingProxyType(
    {
        "startup": startup.run,
        "efficiency": efficiency.run,
        "faults": faults.run,
        "store": store.run,
        "soak": soak.run,
        "kills": kills.run,
        "fedn": fedn.run,
        "swarm_learning": swarm_learning.run,
        "monitor": monitor.run,
        "dispatch": dispatch.run,
        "flower": flower.run,
    }
)


def main() -> None:
    """From the command line."""
    arguments = parser(str(__doc__).splitlines()[0])
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; none: all")
    arguments.add_argument("--flower", action="store_true", help="install Flower apart, if it is not there")
    given = arguments.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        arguments.error(f"there is no benchmark {unknown[0]!r}: name some of {', '.join(BENCHMARKS)}")
    if given.flower:
        flower.install(_say)
    before = machine()
    _say(json.dumps(before, ensure_ascii=False))
    names = given.names or list(BENCHMARKS)
    figures: list[Figure] = []
    for name in names:
        figures += BENCHMARKS[name](given.quick, _say)
    print(f"\n{table(figures)}\n")
    missed = [figure.name for figure in figures if figure.met is False]
    print(f"{len(figures)} figures, {len(missed)} bars missed · load now {os.getloadavg()[0]:.1f}")
    for path in save(figures, names, before):
        print(path)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    main()
