"""Which sample goes to which node: pure functions of the labels, the number of nodes and a seed.

* `iid`: by chance, equally many each;
* `sizes`: by chance, in given ratios;
* `dirichlet`: each label unevenly, the more so the smaller `alpha` is;
* `shards`: a few labels a node;
* `alike`: a second set (the test data) in the proportions in which a first one was split.

Each returns one array of indices a node; every sample is used exactly once, no node is empty, and the order
within a node is random, so that a loop over batches needs no shuffling of its own.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from manta_nb.errors import DataError

__all__ = ["Indices", "Labels", "alike", "dirichlet", "iid", "shards", "sizes"]

Labels: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.int64]
Seed: TypeAlias = int | np.random.Generator

#: how often dirichlet draws again before it moves samples to the nodes that have too few
_DRAWS = 10


def iid(labels: Labels, nodes: int, *, seed: Seed = 0, what: str = "the data") -> list[Indices]:
    """Equally many samples each, to within one, by chance. `what` names the data in a `DataError`."""
    _check_room(len(labels), nodes, 1, what)
    return list(np.array_split(np.random.default_rng(seed).permutation(len(labels)), nodes))


def sizes(
    labels: Labels, ratios: Sequence[float], *, seed: Seed = 0, what: str = "the data"
) -> list[Indices]:
    """One part for each ratio, as large as the ratio says: `[1, 2, 7]` gives 10, 20 and 70 percent."""
    if not ratios or not all(math.isfinite(ratio) and ratio > 0 for ratio in ratios):
        raise DataError(f"sizes must be numbers above 0, one a node, got {list(ratios)[:5]}")
    _check_room(len(labels), len(ratios), 1, what)
    ends = np.cumsum(ratios) / math.fsum(ratios) * len(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    return _topped_up(np.split(order, np.rint(ends[:-1]).astype(int)), 1)


def dirichlet(
    labels: Labels, nodes: int, alpha: float, *, min_size: int = 10, seed: Seed = 0, what: str = "the data"
) -> list[Indices]:
    """For each label, shares of the nodes drawn from a Dirichlet distribution with concentration `alpha`.

    `alpha` 100 is nearly iid, 0.1 leaves most nodes with one or two labels. Drawn again, a few times, until
    every node has `min_size` samples; if that fails, single samples move from the largest nodes to the small.

    Such a split is that of Hsu, Qi and Brown, "Measuring the effects of non-identical data distribution for
    federated visual classification" (2019, arXiv:1909.06335), drawn label by label rather than node by node
    so that every sample is used.
    """
    if not (math.isfinite(alpha) and alpha > 0):
        raise DataError(f"alpha must be a finite number above 0, got {alpha}")
    _check_room(len(labels), nodes, min_size, what)
    codes, rng = _codes(labels, "dirichlet", what), np.random.default_rng(seed)
    totals = np.bincount(codes)
    # Beyond this the shares are even, and far beyond it their sum overflows.
    concentration = np.full(nodes, min(alpha, 1e6))
    for _ in range(_DRAWS):
        counts = _rounded(rng.dirichlet(concentration, size=len(totals)), totals, rng)
        if counts.sum(axis=0).min() >= min_size:
            break
    return _topped_up(_dealt(codes, counts, rng), min_size)


def shards(
    labels: Labels, nodes: int, labels_per_node: int | None = None, *, seed: Seed = 0, what: str = "the data"
) -> list[Indices]:
    """Exactly `labels_per_node` different labels a node; the nodes that hold a label share it equally.

    None: two labels, one where there are but two, or as many as it takes to use them all.

    After the two-digits-a-client split of McMahan et al., "Communication-efficient learning of deep networks
    from decentralized data" (2017, arXiv:1602.05629).
    """
    _check_room(len(labels), nodes, 1, what)
    codes, rng = _codes(labels, "shards", what), np.random.default_rng(seed)
    totals = np.bincount(codes)
    fewest = -(-len(totals) // nodes)
    each = max(fewest, min(2, len(totals) - 1)) if labels_per_node is None else labels_per_node
    if not 1 <= each <= len(totals):
        raise DataError(f"{each} labels a node asked, {what} has {len(totals)}: give 1 to {len(totals)}")
    if each < fewest:
        raise DataError(
            f"{nodes} nodes with {each} labels each cannot hold the {len(totals)} labels of {what}: "
            f"give --labels-per-node {fewest} or more nodes"
        )
    holds = _holders(len(totals), nodes, each, rng)
    short = int(np.argmin(totals - holds.sum(axis=1)))
    if totals[short] < (needed := holds[short].sum()):
        raise DataError(
            f"{nodes} nodes with {each} labels each need {needed} samples of one label, "
            f"{what} has {totals[short]}: fewer nodes or fewer labels a node"
        )
    shares = holds / holds.sum(axis=1, keepdims=True)
    return _dealt(codes, _rounded(shares, totals, rng), rng)


def alike(
    labels: Labels, first: Labels, parts: Sequence[Indices], seed: Seed = 0, what: str = "the data"
) -> list[Indices]:
    """Indices of `labels` split so that each node has the mix of labels it got in `parts` of `first`."""
    if len(labels) < len(parts):
        raise DataError(
            f"{len(parts)} nodes asked, {what} has {len(labels)} test samples to split: "
            "fewer nodes, or --test shared"
        )
    rng = np.random.default_rng(seed)
    classes, codes = np.unique(np.concatenate([_classes_of(first), _classes_of(labels)]), return_inverse=True)
    owner = np.empty(len(first), dtype=np.int64)
    owner[np.concatenate(parts)] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    table = np.bincount(codes[: len(first)] * len(parts) + owner, minlength=len(classes) * len(parts))
    # A label that only the second set has goes to all nodes alike.
    counts = table.reshape(len(classes), len(parts)) + 1e-9
    shares = counts / counts.sum(axis=1, keepdims=True)
    codes = codes[len(first) :]
    totals = np.bincount(codes, minlength=len(classes))
    return _topped_up(_dealt(codes, _rounded(shares, totals, rng), rng), 1)


def _classes_of(labels: Labels) -> Labels:
    """The labels, or one class for all where they are measured values."""
    return labels if labels.ndim == 1 and labels.dtype.kind in "biuUS" else np.zeros(len(labels), dtype=int)


def _check_room(samples: int, nodes: int, least: int, what: str) -> None:
    if nodes < 1 or least < 1:
        raise DataError(f"nodes and --min-size must be whole numbers from 1, got {nodes} and {least}")
    if nodes * least <= samples:
        return
    asked = f"{nodes} nodes asked, {what} has {samples} training samples"
    if nodes > samples:
        raise DataError(f"{asked}: at most {samples} nodes, or more data")
    raise DataError(
        f"{asked} and --min-size {least} needs {nodes * least}: "
        f"at most {samples // least} nodes, or --min-size {samples // nodes}"
    )


def _codes(labels: Labels, partition: str, what: str) -> Indices:
    if labels.ndim != 1 or labels.dtype.kind not in "biuUS":
        raise DataError(
            f"{partition} needs one class a sample, y of {what} is {labels.dtype} {labels.shape}: "
            "use iid or sizes"
        )
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _rounded(shares: NDArray[np.float64], totals: Indices, rng: np.random.Generator) -> Indices:
    """Whole numbers `(labels, nodes)` near `shares * totals`, each row adding up to its total.

    All cuts of a row are shifted by one random amount before rounding down: otherwise, with more nodes than
    samples of a label, the same few nodes would get one of every label and the others nothing.
    """
    ends = np.cumsum(shares, axis=1)
    shifted = ends / ends[:, -1:] * totals[:, None] + rng.random((len(totals), 1))
    cuts = np.minimum(np.floor(shifted).astype(np.int64), totals[:, None])
    return np.diff(cuts, axis=1, prepend=0)


def _dealt(codes: Indices, counts: Indices, rng: np.random.Generator) -> list[Indices]:
    """Indices a node, `counts[label, node]` of each label, chosen and ordered by chance."""
    nodes = counts.shape[1]
    order = rng.permutation(len(codes))
    by_label = order[np.argsort(codes[order], kind="stable")]
    owner = np.empty(len(codes), dtype=np.int64)
    owner[by_label] = np.repeat(np.tile(np.arange(nodes), len(counts)), counts.ravel())
    order = rng.permutation(len(codes))
    by_node = order[np.argsort(owner[order], kind="stable")]
    return list(np.split(by_node, np.cumsum(counts.sum(axis=0))[:-1]))


def _holders(labels: int, nodes: int, each: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which node holds which label `(labels, nodes)`: each node the rarest so far, ties by chance."""
    holds = np.zeros((labels, nodes), dtype=bool)
    held = np.zeros(labels)
    for node in range(nodes):
        chosen = np.argsort(held + rng.random(labels))[:each]
        held[chosen] += 1
        holds[chosen, node] = True
    return holds


def _topped_up(parts: Sequence[Indices], least: int) -> list[Indices]:
    """`parts`, after the largest gave samples, one by one, to those with fewer than `least`."""
    if min(map(len, parts)) >= least:
        return list(parts)
    bags = [part.tolist() for part in parts]
    largest = [(-len(bag), node) for node, bag in enumerate(bags)]
    heapq.heapify(largest)
    for bag in bags:
        while len(bag) < least:
            size, giver = largest[0]
            bag.append(bags[giver].pop())
            heapq.heapreplace(largest, (size + 1, giver))
    return [np.array(bag, dtype=np.int64) for bag in bags]
