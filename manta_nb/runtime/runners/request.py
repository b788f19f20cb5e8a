"""What a child is asked to do: one task, for a batch of nodes, with what it may read.

The fields that all workers share are encoded once, by the kernel, as JSON; workers hand the text on unread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import sep
from pathlib import Path

from manta_nb.runtime.runners.segments import Place
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.source import ModuleSource

__all__ = ["BatchRequest", "NodeRecord", "Policy", "SharedRequest", "load_nodes", "save_nodes"]


@dataclass(frozen=True)
class Policy:
    """What the module asked for beyond its placement."""

    timeout: float | None = None
    isolate: bool = False
    on_nan: str = "warn"
    max_value_bytes: int = 2**31
    #: report what the task reads, too
    trace: bool = False


@dataclass(frozen=True)
class SharedRequest:
    """The part of a request that is the same for every worker."""

    run_id: str
    iteration: int
    task: str
    attempt: int
    seed: int
    source: ModuleSource
    policy: Policy
    #: every segment that may be read; a pid of 0 means its bytes come along
    segments: tuple[Place, ...] = ()
    #: Global tag → (index of segment, offset, nbytes)
    globals: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    #: (iteration, index of segment, tags), oldest first
    results: tuple[tuple[int, int, tuple[str, ...]], ...] = ()
    #: result tag → newest iteration of it that is no longer kept
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: aliases of the graph
    aliases: tuple[str, ...] = ()
    #: all nodes of the session; None where the module never calls schedule_next_iter
    known_nodes: tuple[str, ...] | None = None
    #: iterations that the store has
    kept: int = 0

    def to_json(self) -> str:
        """The request as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> SharedRequest:
        """The inverse of `to_json`."""
        raw = json.loads(text)
        raw["source"] = ModuleSource(**raw["source"])
        raw["policy"] = Policy(**raw["policy"])
        raw["segments"] = tuple(Place(*place) for place in raw["segments"])
        raw["results"] = tuple((iteration, index, tuple(tags)) for iteration, index, tags in raw["results"])
        known = raw["known_nodes"]
        raw["known_nodes"] = None if known is None else tuple(known)
        raw["aliases"] = tuple(raw["aliases"])
        raw["globals"] = {tag: tuple(place) for tag, place in raw["globals"].items()}
        return cls(**raw)


@dataclass(frozen=True)
class BatchRequest:
    """One dispatch to one worker."""

    shared: str
    #: the name of this execution of the run: where the run was resumed it is not the run's own id
    run_id: str
    iteration: int
    task: str
    attempt: int
    policy: Policy
    node_ids: tuple[str, ...]
    #: node → version of its `local.state`
    states: Mapping[str, str] = field(default_factory=dict)
    #: node → how many times as long as it needs its turn takes
    paces: Mapping[str, float] = field(default_factory=dict)
    #: keys of segments whose memory can be freed
    release: tuple[str, ...] = ()
    #: keys of segments whose memory can be written over
    reuse: tuple[str, ...] = ()
    #: keys of the segments whose bytes come along, in the order of the arguments
    imports: tuple[str, ...] = ()
    #: keys of all segments the task reads as bytes; those not in `imports` came with an earlier batch
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeRecord:
    """A node as its host knows it: a private folder, the datasets, and where its state outlives the session."""

    folder: Path
    datasets: Mapping[str, Dataset]
    #: folder with one folder a run; None: nothing outlives the session
    states: Path | None = None

    def state_folder(self, run_id: str) -> str:
        """Where the versions of its `local.state` in that run lie; a text, as few turns come to need it."""
        base = f"{self.folder}{sep}state" if self.states is None else self.states
        return f"{base}{sep}{run_id}{sep}{self.folder.name}"


def save_nodes(path: Path, nodes: Mapping[str, NodeRecord]) -> None:
    """Write the table a worker and its children read; a new file replaces the old one at once."""
    table = {
        node_id: [
            str(record.folder),
            None if record.states is None else str(record.states),
            {
                name: str(dataset.path)
                if dataset.path is not None
                else {key: str(file) for key, file in (dataset.arrays or {}).items()}
                for name, dataset in record.datasets.items()
            },
        ]
        for node_id, record in nodes.items()
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(table), encoding="utf-8")
    draft.replace(path)


def load_nodes(path: Path, only: Sequence[str] | None = None) -> dict[str, NodeRecord]:
    """Read what `save_nodes` wrote."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return {
        node_id: NodeRecord(
            Path(folder),
            {name: _dataset(value) for name, value in datasets.items()},
            None if states is None else Path(states),
        )
        for node_id, (folder, states, datasets) in table.items()
        if only is None or node_id in only
    }


def _dataset(value: str | dict[str, str]) -> Dataset:
    if isinstance(value, str):
        return Dataset(path=Path(value))
    return Dataset(arrays={key: Path(file) for key, file in value.items()})
