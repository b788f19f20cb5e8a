"""Sizes in words."""

from __future__ import annotations

from typing import Any

import pytest

from manta_nb.errors import UsageError
from manta_nb.session.sizes import parse_bytes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (None, None),
        (1000, 1000),
        (1.5e9, 1_500_000_000),
        ("512 MB", 512_000_000),
        ("2GB", 2 * 10**9),
        ("2 gib", 2 * 2**30),
        (" 1.5 kB ", 1500),
        ("7", 7),
        (1e16, 10**16),
    ],
)
def test_a_size_is_a_number_and_a_unit(size: Any, expected: int | None) -> None:
    """Decimal and binary units, in any case, with or without a blank."""
    assert parse_bytes(size) == expected


@pytest.mark.parametrize(
    "size", ["", "much", "-1 GB", "0", 0, "1 XB", "GB", "1,5 GB", float("nan"), float("inf"), "9" * 5000]
)
def test_anything_else_is_refused(size: Any) -> None:
    """One line says what a size looks like."""
    with pytest.raises(UsageError, match="a size is a number with B, kB, MB or GB") as caught:
        parse_bytes(size)

    assert len(str(caught.value)) <= 200
