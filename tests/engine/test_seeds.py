"""Seeds of turns."""

from __future__ import annotations

from manta_nb.engine.seeds import derive_seed


def test_seed_is_the_same_on_every_machine() -> None:
    """The seed follows from its arguments alone; this number must never change."""
    assert derive_seed(7, 2, "worker", "node_3") == 14329396099226010486


def test_seeds_differ_by_every_argument() -> None:
    """No two of run, iteration, task and node share their numbers."""
    base = (7, 2, "worker", "node_3")
    others = [(8, *base[1:]), (7, 3, *base[2:]), (7, 2, "other", "node_3"), (7, 2, "worker", "Élève_1")]

    seeds = {derive_seed(*args) for args in (base, *others)}

    assert len(seeds) == 5
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_names_are_kept_apart() -> None:
    """Moving a letter from the alias to the node gives another seed."""
    assert derive_seed(0, 0, "ab", "c") != derive_seed(0, 0, "a", "bc")
