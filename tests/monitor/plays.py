"""The runs that are recorded, each a small script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.monitor.few import eight, empty, failed, interrupted, running
from tests.monitor.hostile import hostile
from tests.monitor.large import long, ten_thousand
from tests.monitor.training import MakeRecorder, Records

__all__ = ["plays"]


def plays(make: MakeRecorder) -> Mapping[str, Callable[[], Records]]:
    """Name → what makes its records."""
    found: dict[str, Callable[[MakeRecorder], Records]] = {
        "empty": empty,
        "running": running,
        "failed": failed,
        "interrupted": interrupted,
        "eight": eight,
        "tenthousand": ten_thousand,
        "long": long,
        "hostile": hostile,
    }
    return {name: lambda play=play: play(make) for name, play in found.items()}
