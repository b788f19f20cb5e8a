"""The catalogue of faults is held by tests, and says by which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: what the store decides
OF_THE_STORE = {26, 29, 30, 32, 34, 35, 36, 42}

LINES = (HERE / "CATALOGUE.md").read_text(encoding="utf-8").splitlines()
ROWS = {int(match[1]): line for line in LINES if (match := re.match(r"\| (\d+) \|", line))}
NAMED = sorted({name for line in LINES for name in re.findall(r"`(tests/[^`]+::[^`]+)`", line)})


def test_every_row_is_there_once() -> None:
    """From 1 to 44, in order."""
    numbers = [int(match[1]) for line in LINES if (match := re.match(r"\| (\d+) \|", line))]

    assert numbers == list(range(1, 45))


def test_every_row_has_a_test() -> None:
    """Or waits for the store, which only some may."""
    without = {number for number, line in ROWS.items() if "::" not in line and "pending" not in line}
    waiting = {number for number, line in ROWS.items() if "pending" in line}

    assert without == set()
    assert waiting <= OF_THE_STORE


@pytest.mark.parametrize("name", NAMED)
def test_every_named_test_exists(name: str) -> None:
    """Under that name, in that file."""
    path, _, function = name.partition("::")

    assert re.search(rf"^def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
