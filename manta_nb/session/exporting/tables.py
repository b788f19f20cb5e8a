"""Metrics as files: one row a value, with the columns `iteration node task name step value`."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

import numpy as np

from manta_nb.errors import UsageError
from manta_nb.session.digest import RunLike
from manta_nb.session.metrics import MetricRow

__all__ = ["write_csv", "write_parquet"]

#: of strings that repeat, Parquet keeps each once
_TEXTS = ("node", "task", "name")


def write_csv(run: RunLike, file: BinaryIO) -> list[str]:
    """All metrics with a header; no step is an empty cell, NaN is `nan`. Numbers come back equal."""
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(MetricRow._fields)
    writer.writerows(run.metrics.rows())
    text.detach()
    return []


def write_parquet(run: RunLike, file: BinaryIO) -> list[str]:
    """All metrics, typed: no step is null, NaN stays NaN.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
        from pyarrow import parquet  # noqa: PLC0415 - optional
    except ImportError:
        raise UsageError(
            "a .parquet file needs pyarrow: pip install 'manta-nb[parquet]'; .csv needs nothing"
        ) from None
    found = run.metrics.stored.find(None, latest=False)
    columns, texts = found.columns, {"node": found.nodes, "task": found.tasks, "name": found.names}
    made = {"iteration": pa.array(columns["iteration"].astype(np.int64))}
    for name in _TEXTS:
        words = pa.array([_valid(word) for word in texts[name]], pa.string())
        made[name] = pa.DictionaryArray.from_arrays(pa.array(columns[name].astype(np.int32)), words)
    made["step"] = pa.array(columns["step"], mask=np.isnan(columns["step"]))
    # pandas takes NaN for "no value"; here a NaN is one
    made["value"] = pa.array(columns["value"], from_pandas=False)
    parquet.write_table(pa.table(made), file)
    return []


def _valid(text: str) -> str:
    """`text` without halves of characters, which no file format takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
