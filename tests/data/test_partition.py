"""Partitions use every sample once, leave nobody without, and repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.data.partition import Indices, Labels, alike, dirichlet, iid, shards, sizes
from manta_nb.errors import DataError

Split = Callable[[Labels, int, int], list[Indices]]

WAYS: dict[str, Split] = {
    "iid": lambda labels, nodes, seed: iid(labels, nodes, seed=seed),
    "sizes": lambda labels, nodes, seed: sizes(labels, range(1, nodes + 1), seed=seed),
    "dirichlet": lambda labels, nodes, seed: dirichlet(labels, nodes, 0.2, min_size=1, seed=seed),
    "shards": lambda labels, nodes, seed: shards(labels, nodes, seed=seed),
}


def labels_of(samples: int, classes: int = 10) -> Labels:
    """`samples` labels, equally many of each class."""
    return np.random.default_rng(1).permutation(np.arange(samples) % classes)


def mixes(labels: Labels, parts: Sequence[Indices]) -> list[set[int]]:
    """The labels that occur in each part."""
    return [set(labels[part].tolist()) for part in parts]


@pytest.mark.parametrize("way", WAYS)
@given(samples=st.integers(200, 400), nodes=st.integers(5, 12), seed=st.integers(0, 2**40))
@settings(max_examples=25, deadline=None)
def test_every_sample_is_used_exactly_once(way: str, samples: int, nodes: int, seed: int) -> None:
    """The parts of any partition are disjoint, complete and none is empty."""
    parts = WAYS[way](labels_of(samples), nodes, seed)

    assert sorted(np.concatenate(parts).tolist()) == list(range(samples))
    assert len(parts) == nodes
    assert min(map(len, parts)) >= 1


@pytest.mark.parametrize("way", WAYS)
def test_a_seed_repeats_the_split(way: str) -> None:
    """The same seed gives the same parts, another seed others."""
    first, again, other = (WAYS[way](labels_of(400), 8, seed) for seed in (3, 3, 4))

    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))


@pytest.mark.parametrize("way", WAYS)
def test_a_thousand_nodes_take_well_below_a_second(way: str) -> None:
    """60,000 labels are split over 1,000 nodes quickly, without an empty node."""
    labels = labels_of(60_000)

    start = time.perf_counter()
    parts = WAYS[way](labels, 1000, 0)
    seconds = time.perf_counter() - start

    assert seconds < 1
    assert min(map(len, parts)) >= 1


@pytest.mark.parametrize("way", WAYS)
def test_samples_of_a_node_are_in_random_order(way: str) -> None:
    """No node gets its samples sorted, so a batch is a fair sample of the node."""
    part = max(WAYS[way](np.sort(labels_of(4000)), 4, 0), key=len)

    assert not np.all(np.diff(part) > 0)
    assert abs(np.corrcoef(np.arange(len(part)), part)[0, 1]) < 0.2


def test_iid_parts_are_equal() -> None:
    """Sizes differ by one at most."""
    assert {len(part) for part in iid(labels_of(1437), 8)} == {179, 180}


def test_sizes_follow_the_ratios() -> None:
    """Ratios 1:2:7 give 10, 20 and 70 percent."""
    assert [len(part) for part in sizes(labels_of(1000), [1, 2, 7])] == [100, 200, 700]


def test_tiny_ratio_still_gets_a_sample() -> None:
    """A ratio that rounds to nothing gets one sample, from the largest."""
    assert [len(part) for part in sizes(labels_of(10), [1e-9, 1])] == [1, 9]


def test_small_alpha_is_uneven_large_alpha_even() -> None:
    """With alpha 0.05 nodes lack labels; with alpha 1000 all have all, in like numbers."""
    labels = labels_of(10_000)
    uneven, even = (dirichlet(labels, 10, alpha) for alpha in (0.05, 1000))

    assert max(len(mix) for mix in mixes(labels, uneven)) < 10
    assert all(len(mix) == 10 for mix in mixes(labels, even))
    assert all(850 < len(part) < 1150 for part in even)


@pytest.mark.parametrize("alpha", [1e-300, 1e-9, 0.1, 1.0, 1e300])
def test_dirichlet_keeps_the_minimum_at_any_alpha(alpha: float) -> None:
    """Every node has `min_size` samples even where no draw would give them, and none is lost."""
    labels = labels_of(1437)
    parts = dirichlet(labels, 100, alpha, min_size=14)

    assert min(map(len, parts)) >= 14
    assert sorted(np.concatenate(parts).tolist()) == list(range(1437))


def test_many_nodes_get_different_labels_by_chance() -> None:
    """With more nodes than samples of a label, even shares do not pile up on the same nodes."""
    parts = dirichlet(labels_of(1000), 500, 1e6, min_size=1)

    assert max(map(len, parts)) <= 7


@pytest.mark.parametrize("each", [1, 2, 5, 10])
def test_shards_give_exactly_so_many_labels(each: int) -> None:
    """Each node has `labels_per_node` labels and the nodes of a label share it equally."""
    labels = labels_of(6000)
    parts = shards(labels, 30, each)

    assert {len(mix) for mix in mixes(labels, parts)} == {each}
    assert max(map(len, parts)) - min(map(len, parts)) <= 2 * each


@pytest.mark.parametrize(("classes", "nodes", "each"), [(10, 8, 2), (10, 4, 3), (2, 4, 1), (1, 3, 1)])
def test_shards_choose_a_number_of_labels(classes: int, nodes: int, each: int) -> None:
    """Unless told, a node gets two labels, fewer where there are but two, more where nodes are few."""
    labels = labels_of(600, classes)

    assert {len(mix) for mix in mixes(labels, shards(labels, nodes))} == {each}


def test_shards_pair_labels_in_many_ways() -> None:
    """Pairs of labels differ between nodes; they are not the same five over and over."""
    labels = labels_of(6000)

    assert len(set(map(frozenset, mixes(labels, shards(labels, 30, 2))))) > 10


def test_test_set_follows_the_training_set() -> None:
    """Split alike, a node's test labels are those it trains on, in proportion."""
    train, test = labels_of(6000), labels_of(1200)
    parts = shards(train, 10, 2)
    tests = alike(test, train, parts)

    assert mixes(test, tests) == mixes(train, parts)
    assert sorted(np.concatenate(tests).tolist()) == list(range(1200))
    assert all(abs(len(a) - len(b) / 5) <= 4 for a, b in zip(tests, parts, strict=True))


def test_unknown_test_labels_are_shared_out() -> None:
    """A label that no node trains on goes to all of them."""
    train, test = labels_of(100, 2), np.full(40, 7)
    tests = alike(test, train, iid(train, 4))

    assert [len(part) for part in tests] == pytest.approx([10] * 4, abs=1)


def test_measured_values_follow_by_size_only() -> None:
    """A test set of measured values is split by the sizes of the training parts."""
    train, test = np.linspace(0, 1, 1000), np.linspace(0, 1, 100)

    assert [len(part) for part in alike(test, train, sizes(train, [1, 9]))] == pytest.approx([10, 90], abs=1)


@pytest.mark.parametrize(
    ("split", "line"),
    [
        (
            lambda y: dirichlet(y, 300, 0.3, what="digits"),
            (
                "300 nodes asked, digits has 1437 training samples and --min-size 10 needs 3000: "
                "at most 143 nodes, or --min-size 4"
            ),
        ),
        (
            lambda y: iid(y, 2000, what="digits"),
            "2000 nodes asked, digits has 1437 training samples: at most 1437 nodes, or more data",
        ),
        (lambda y: dirichlet(y, 4, float("inf")), "alpha must be a finite number above 0, got inf"),
        (lambda y: dirichlet(y, 4, 0), "alpha must be a finite number above 0, got 0"),
        (lambda y: sizes(y, [1, -2]), "sizes must be numbers above 0, one a node, got [1, -2]"),
        (lambda y: shards(y, 4, 11), "11 labels a node asked, the data has 10: give 1 to 10"),
        (
            lambda y: shards(y, 2, 2),
            (
                "2 nodes with 2 labels each cannot hold the 10 labels of the data: "
                "give --labels-per-node 5 or more nodes"
            ),
        ),
        (
            lambda y: shards(y, 1000, 2),
            (
                "1000 nodes with 2 labels each need 200 samples of one label, the data has 143: "
                "fewer nodes or fewer labels a node"
            ),
        ),
        (
            lambda y: dirichlet(y.astype("f4"), 4, 1),
            "dirichlet needs one class a sample, y of the data is float32 (1437,): use iid or sizes",
        ),
        (
            lambda y: alike(y[:3], y, iid(y, 8)),
            "8 nodes asked, the data has 3 test samples to split: fewer nodes, or --test shared",
        ),
        (lambda y: iid(y, 0), "nodes and --min-size must be whole numbers from 1, got 0 and 1"),
    ],
)
def test_impossible_requests_say_the_numbers(split: Callable[[Labels], object], line: str) -> None:
    """What cannot be done is one line with the numbers and the way out."""
    with pytest.raises(DataError) as caught:
        split(labels_of(1437))

    assert str(caught.value) == line
