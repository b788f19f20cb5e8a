"""What the nodes are called and which datasets each of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from manta_nb.data.histogram import LabelHistogram
from manta_nb.data.partition import Indices, Labels, dirichlet, iid, shards, sizes
from manta_nb.errors import DataError, NodeError, UsageError
from manta_nb.render import Card, Shown, number
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.names import check_node_id, did_you_mean, listed, shorten

__all__ = ["PARTITIONS", "DataPlan", "Partition", "count", "node_names"]

#: how a dataset can be split over nodes
PARTITIONS = ("dirichlet", "iid", "shards", "sizes")

_NODES = 4


@dataclass(frozen=True, repr=False)
class DataPlan(Shown):
    """The nodes of a session and their datasets; made by `prepare`, read by whatever starts the nodes."""

    node_ids: list[str]
    #: node → name → dataset
    datasets: dict[str, dict[str, Dataset]]
    #: one line: `8 nodes · digits: 1437 train, 360 test (the same on each node) · dirichlet 0.3`
    summary: str
    #: what was decided on the way, worth a line each
    notes: list[str] = field(default_factory=list)
    #: labels a node of the training data; None where the labels are not known here
    histogram: LabelHistogram | None = None

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        return Card(self.summary, [*self.notes, *([self.histogram] if self.histogram else [])])


@dataclass(frozen=True)
class Partition:
    """How a dataset is split over nodes: the kind, its options, and the seed. Raises `DataError`."""

    kind: str = "iid"
    alpha: float | None = None
    labels_per_node: int | None = None
    sizes: Sequence[float] | None = None
    min_size: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PARTITIONS:
            raise DataError(
                f"there is no partition {self.kind!r}{did_you_mean(str(self.kind), PARTITIONS)}: "
                f"give {', '.join(PARTITIONS)}"
            )
        if self.kind == "iid" and self.sizes is not None:
            object.__setattr__(self, "kind", "sizes")
        for option, kind in (("alpha", "dirichlet"), ("labels_per_node", "shards"), ("sizes", "sizes")):
            if getattr(self, option) is not None and self.kind != kind:
                raise DataError(f"{option} belongs to partition {kind!r}, this is {self.kind!r}")
        if self.kind == "sizes" and not self.sizes:
            raise DataError("partition 'sizes' needs the ratios: sizes=[1, 2, 7] (--sizes 1,2,7)")
        if self.seed < 0:
            raise DataError(f"seed must be a whole number from 0, got {self.seed}")

    def split(self, labels: Labels, nodes: int, what: str) -> list[Indices]:
        """The indices of each node; `what` names the data in a `DataError`."""
        if self.kind == "dirichlet":
            return dirichlet(labels, nodes, self._alpha, min_size=self.min_size, seed=self.seed, what=what)
        if self.kind == "shards":
            return shards(labels, nodes, self.labels_per_node, seed=self.seed, what=what)
        if self.sizes is None:
            return iid(labels, nodes, seed=self.seed, what=what)
        if len(self.sizes) != nodes:
            raise DataError(f"{nodes} nodes and {len(self.sizes)} sizes: give one size a node")
        return sizes(labels, self.sizes, seed=self.seed, what=what)

    def __str__(self) -> str:
        if self.kind == "dirichlet":
            return f"dirichlet {number(self._alpha)}"
        if self.kind == "shards" and self.labels_per_node is not None:
            return f"shards, {count(self.labels_per_node, 'label')} a node"
        return f"sizes {listed([number(size) for size in self.sizes], 10)}" if self.sizes else self.kind

    @property
    def _alpha(self) -> float:
        return 0.5 if self.alpha is None else self.alpha


def node_names(nodes: int | Sequence[str] | None, default: int | None = None) -> list[str]:
    """`node_0`, `node_1`, … for a number (`default`, else 4, for None), or the names given, checked."""
    if nodes is None:
        nodes = default or _NODES
    if isinstance(nodes, int) and not isinstance(nodes, bool) and nodes >= 1:
        return [f"node_{index}" for index in range(nodes)]
    if not isinstance(nodes, list | tuple) or not nodes or not all(isinstance(name, str) for name in nodes):
        raise UsageError(
            f"nodes must be a whole number ≥ 1 or a list of names, got {shorten(repr(nodes), 60)}"
        )
    names = [check_node_id(name) for name in nodes]
    # Without regard to capitals, as two nodes may share a disk that does not tell them apart.
    lowered = [name.casefold() for name in names]
    if twice := [name for name, low in zip(names, lowered, strict=True) if lowered.count(low) > 1]:
        raise NodeError(f"two nodes are called alike: {listed(twice[:2])}")
    return names


def count(number_of: int, noun: str) -> str:
    """`1 node`, `8 nodes`."""
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"
