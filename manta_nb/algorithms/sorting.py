"""Sorting across arrays: the numbers that stand at the same place of many arrays, for all places at once.

The comparisons are those of a sorting network, the same for each place, so that numpy does whole blocks with each:
Batcher's merge exchange, algorithm M of D. E. Knuth, "The Art of Computer Programming", volume 3, section 5.2.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from manta_nb.sdk.arrays import Array

__all__ = ["comparisons", "sort_lines", "sort_with_numbers"]


def comparisons(count: int, wanted: Collection[int] | None = None) -> list[tuple[int, int]]:
    """Pairs of places (i < j) to put into order, one after another, to sort `count` things.

    Args:
        count: how many.
        wanted: places whose thing must be right in the end; None: all.

    Example:
        >>> comparisons(3)
        [(0, 2), (0, 1), (1, 2)]
    """
    pairs = list(_merge_exchange(count))
    if wanted is None:
        return pairs
    kept, needed = [], set(wanted)
    for pair in reversed(pairs):
        if needed & set(pair):
            needed |= set(pair)
            kept.append(pair)
    return kept[::-1]


def _merge_exchange(count: int) -> Iterator[tuple[int, int]]:
    top = 1 << max(0, (count - 1).bit_length() - 1)
    step = top
    while step:
        width, phase, distance = top, 0, step
        while True:
            yield from ((i, i + distance) for i in range(count - distance) if i & step == phase)
            if width == step:
                break
            distance, width, phase = width - step, width // 2, step
        step //= 2


def sort_lines(lines: list[Array], spare: Array, pairs: Sequence[tuple[int, int]]) -> None:
    """Sort `lines` of one length across, in place; `spare` is one more. A NaN spreads to all it is compared with."""
    for low, high in pairs:
        np.minimum(lines[low], lines[high], out=spare)
        np.maximum(lines[low], lines[high], out=lines[high])
        lines[low], spare = spare, lines[low]


def sort_with_numbers(
    lines: list[Array], spare: Array, numbers: Array, pairs: Sequence[tuple[int, int]]
) -> None:
    """As `sort_lines`; the rows of `numbers` (uint8), one a line, are exchanged as the lines are."""
    swaps = np.empty(numbers.shape[1], bool)
    change = np.empty(numbers.shape[1], np.uint8)
    for low, high in pairs:
        np.greater(lines[low], lines[high], out=swaps)
        np.bitwise_xor(numbers[low], numbers[high], out=change)
        change *= swaps.view(np.uint8)
        numbers[low] ^= change
        numbers[high] ^= change
        np.minimum(lines[low], lines[high], out=spare)
        np.maximum(lines[low], lines[high], out=lines[high])
        lines[low], spare = spare, lines[low]
