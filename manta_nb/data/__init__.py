"""Data of the nodes: loaded, split, laid out and looked at. `load("digits")` needs no network.

* `load` gives a dataset in memory, `prepare` lays one out over nodes;
* `LabelHistogram` shows which labels lie where;
* `partition` holds the ways of splitting.
"""

from __future__ import annotations

from manta_nb.data.histogram import LabelHistogram
from manta_nb.data.loading import BUNDLED, load
from manta_nb.data.plan import PARTITIONS, DataPlan
from manta_nb.data.preparing import prepare
from manta_nb.data.split import DataSplit

__all__ = ["BUNDLED", "PARTITIONS", "DataPlan", "DataSplit", "LabelHistogram", "load", "prepare"]
