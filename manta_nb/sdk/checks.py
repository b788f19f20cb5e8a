"""The numbers that a task hands to its `World`, checked: metrics, and what a quorum is made of."""

from __future__ import annotations

import math
from collections.abc import Iterator

from manta_nb.errors import ValueRefused

__all__ = ["LONGEST_NAME", "check_metric", "check_quorum", "metric_points", "shown"]

LONGEST_NAME = 200


def check_metric(name: object, value: object, step: object) -> tuple[str, float, float | None]:
    """`(name, value, step)` as plain numbers, or `ValueRefused`."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ValueRefused(f"a metric's name is a text of 1 to {LONGEST_NAME} characters, got {shown(name)}")
    number = _number(value)
    if number is None:
        raise ValueRefused(
            f"metric {name!r} must be a number, got {shown(value)}: a list of numbers goes to "
            f'results.add("metrics", {{...}})'
        )
    if step is None:
        return name, number, None
    position = _number(step)
    if position is None or not math.isfinite(position):
        raise ValueRefused(f"step of metric {name!r} must be a finite number, got {shown(step)}")
    return name, number, position


def metric_points(value: object, prefix: str = "") -> Iterator[tuple[str, float, float | None]]:
    """The points inside a value added under the tag `metrics`; what is not a number is left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from metric_points(inner, f"{prefix}.{key}" if prefix else str(key))
        return
    name = (prefix or "value")[:LONGEST_NAME]
    number = _number(value)
    if number is not None:
        yield name, number, None
    elif hasattr(value, "tolist") or isinstance(value, list | tuple):
        steps = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(steps, list | tuple):
            for step, item in enumerate(steps):
                number = _number(item)
                if number is not None:
                    yield name, number, float(step)


def check_quorum(nodes: object, patience: object, deadline: object) -> tuple[int, float, float]:
    """`(nodes, patience, deadline)` as plain numbers, or `ValueRefused`."""
    count = _number(nodes)
    if count is None or not (count >= 1 and count.is_integer()):
        raise ValueRefused(f"quorum(nodes=...) is a whole number from 1 on, got {shown(nodes)}")
    return int(count), _seconds("patience", patience), _seconds("deadline", deadline)


def _seconds(name: str, value: object) -> float:
    seconds = _number(value)
    # not `< 0`, which NaN is not
    if seconds is None or not seconds >= 0:
        raise ValueRefused(
            f"quorum({name}=...) is a number of seconds from 0 on (math.inf: no limit), got {shown(value)}"
        )
    return seconds


def _number(value: object) -> float | None:
    if isinstance(value, str | bytes | bytearray) or value is None:
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
    except (TypeError, ValueError, RuntimeError):
        # RuntimeError: torch's word for a tensor of many elements
        return None


def shown(value: object) -> str:
    """A value for an error: its repr, cut, and its type."""
    text = repr(value)
    return f"{text[:40]}… ({type(value).__name__})" if len(text) > 40 else f"{text} ({type(value).__name__})"
