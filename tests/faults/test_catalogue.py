"""The catalogue of faults is held by tests, and says by which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

LINES = (HERE / "CATALOGUE.md").read_text(encoding="utf-8").splitlines()
ROWS = {int(match[1]): line for line in LINES if (match := re.match(r"\| (\d+) \|", line))}
NAMED = sorted({name for line in LINES for name in re.findall(r"`(tests/[^`]+::[^`]+)`", line)})


def test_every_row_is_there_once() -> None:
    """From 1 to 44, in order."""
    numbers = [int(match[1]) for line in LINES if (match := re.match(r"\| (\d+) \|", line))]

    assert numbers == list(range(1, 45))


def test_every_row_has_a_test() -> None:
    """None is left for later."""
    assert {number for number, line in ROWS.items() if "::" not in line} == set()


@pytest.mark.parametrize("name", NAMED)
def test_every_named_test_exists(name: str) -> None:
    """Under that name, in that file."""
    path, _, function = name.partition("::")

    assert re.search(rf"^def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
