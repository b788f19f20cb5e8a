"""Records what the kernel sends of some runs, for the tests of the browser's side.

`python -m tests.monitor.record` writes all of `extension/fixtures/`, `… record eight` one of them, and
`… record long --to PATH` the long one, which is not kept. A record is
`[{"t": seconds, "msg": {…}, "buffers": ["base64", …]}, …]`.
"""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from manta_nb.session.feed import Message, RunFeed
from tests.monitor import plays
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook

__all__ = ["Recorder", "main"]

FOLDER = Path(__file__).resolve().parents[2] / "extension" / "fixtures"
#: too large to be kept
ON_DEMAND = ("long",)


class Recorder:
    """Listens to one run as a browser would, and writes down what it hears."""

    def __init__(self, stage: Stage, look: StagedLook) -> None:
        self.stage = stage
        self.look = look
        self.feed = RunFeed(stage.run, look, clock=lambda: stage.run.elapsed)
        self.records: list[dict[str, Any]] = []
        self.background()

    def background(self) -> None:
        """What a kernel does after sending."""
        self.feed.background()

    def full(self, at: float) -> None:
        """Somebody opens the monitor."""
        self.stage.at(at)
        self._write(at, self.feed.full())

    def delta(self, at: float) -> None:
        """So long after the start, what has changed is sent; then the values are looked at."""
        self.stage.at(at)
        message = self.feed.delta()
        if message is not None:
            self._write(at, message)
        self.feed.background()

    def rest(self, at: float) -> None:
        """All that is still to be told, and that this was all."""
        self.stage.at(at)
        self.feed.background()
        while (message := self.feed.delta()) is not None:
            self._write(at, message)
        self._write(at, Message({"op": "end"}))

    def _write(self, at: float, message: Message) -> None:
        buffers = [base64.b64encode(buffer).decode() for buffer in message.buffers]
        self.records.append({"t": round(at, 3), "msg": message.content, "buffers": buffers})


def main() -> None:
    """See the module."""
    made: Mapping[str, Callable[[], list[dict[str, Any]]]] = plays.plays(Recorder)
    parser = argparse.ArgumentParser(description="Record what the kernel sends of some runs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(made)}; all that are kept")
    parser.add_argument("--to", type=Path, help="the file to write, for one name")
    options = parser.parse_args()
    names = options.names or [name for name in made if name not in ON_DEMAND]
    for name in names:
        path = options.to or FOLDER / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(record, ensure_ascii=True, allow_nan=False) for record in made[name]())
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="ascii")
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
