"""Seeds derived from the run's seed, so that a run can be repeated number for number."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["derive_seed"]


def derive_seed(run_seed: int, iteration: int, alias: str, node_id: str) -> int:
    """The seed of one node's turn: 0 ≤ seed < 2⁶⁴, equal on every machine and Python.

    It does not depend on the attempt: a turn that is done again draws the same numbers.

    >>> derive_seed(7, 0, "worker", "node_3") == derive_seed(7, 0, "worker", "node_3")
    True
    """
    text = "\0".join((str(run_seed), str(iteration), alias, node_id))
    # Names taken from folders may hold surrogate escapes, which plain UTF-8 refuses.
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
