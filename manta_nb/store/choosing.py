"""Which checkpoint a run goes on from where values are damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.errors import StoreError

__all__ = ["latest_intact", "without_damaged"]

Trouble = Callable[[Iterable[str]], Mapping[str, str]]


def latest_intact(
    run_id: str, commits: Sequence[int], get: Callable[[int], Checkpoint], trouble: Trouble
) -> tuple[Checkpoint, str]:
    """The latest of the last two checkpoints that is whole, and what to say about it.

    Where both are damaged, the latest whose Globals can be read, less the results that cannot: those are wanted for
    looking at a run.

    Args:
        commits: after how many iterations there are checkpoints.
        get: the checkpoint after so many iterations.
        trouble: of segments those that cannot be read → what is wrong.
    """
    found: list[tuple[Checkpoint, Mapping[str, str]]] = []
    for iterations in reversed(commits[-2:]):
        checkpoint = get(iterations)
        wrong = trouble(checkpoint.keys)
        if not wrong:
            return checkpoint, _went_back(run_id, checkpoint, found)
        found.append((checkpoint, wrong))
    for checkpoint, wrong in found:
        if not checkpoint.lost(wrong):
            return checkpoint.without(wrong), (
                f"run {run_id[:8]}: {len(wrong)} results cannot be read: {next(iter(wrong.values()))}"
            )
    if not found:
        raise StoreError(f"run {run_id[:8]} has nothing committed: start it again")
    raise StoreError(next(iter(found[0][1].values())))


def without_damaged(checkpoint: Checkpoint, trouble: Trouble) -> tuple[Checkpoint, str]:
    """Less the results that cannot be read, and what to say about it; `StoreError` where Globals are damaged."""
    wrong = trouble(checkpoint.keys)
    for tag in checkpoint.lost(wrong):
        raise StoreError(wrong[checkpoint.globals[tag].segment.key])
    return checkpoint.without(wrong), next(iter(wrong.values()), "")


def _went_back(
    run_id: str, checkpoint: Checkpoint, damaged: Sequence[tuple[Checkpoint, Mapping[str, str]]]
) -> str:
    if not damaged:
        return ""
    what = next(iter(damaged[0][1].values()))
    return f"run {run_id[:8]} goes back to {checkpoint.iterations} iterations: {what}"
