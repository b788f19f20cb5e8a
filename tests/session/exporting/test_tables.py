"""Metrics as files."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import pytest

from manta_nb.errors import UsageError
from manta_nb.session.exporting import export
from manta_nb.session.metrics import MetricRow, MetricTable
from tests.session.fake_run import FakeRun

ROWS = [
    MetricRow(0, "Élève_1", "worker", "loss", 0, 0.1 + 0.2),
    MetricRow(0, "Élève_1", "worker", "loss", 1.5, float("nan")),
    MetricRow(1, 'no,de "2"\n', "worker", "val_acc", None, float("-inf")),
]


def run() -> FakeRun:
    return FakeRun(metrics=MetricTable(ROWS))


def test_csv_gives_the_rows_back(tmp_path: Path) -> None:
    """Numbers are equal to the last bit, NaN is kept, no step is empty, and texts may hold anything."""
    export(run(), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)

    assert header == ["iteration", "node", "task", "name", "step", "value"]
    assert rows[0] == ["0", "Élève_1", "worker", "loss", "0", "0.30000000000000004"]
    assert rows[1][4:] == ["1.5", "nan"]
    assert rows[2] == ["1", 'no,de "2"\n', "worker", "val_acc", "", "-inf"]


def test_parquet_gives_the_rows_back(tmp_path: Path) -> None:
    """No step is null; a NaN is a value and stays one."""
    parquet = pytest.importorskip("pyarrow.parquet")
    export(run(), tmp_path / "a.parquet")
    columns = parquet.read_table(tmp_path / "a.parquet").to_pydict()

    assert list(columns) == ["iteration", "node", "task", "name", "step", "value"]
    assert columns["node"] == [row.node for row in ROWS]
    assert columns["step"] == [0, 1.5, None]
    assert columns["value"][0] == 0.1 + 0.2 and math.isnan(columns["value"][1])
    assert columns["value"][2] == float("-inf")


def test_a_run_without_metrics_has_a_header(tmp_path: Path) -> None:
    """Both kinds of file are tables without rows."""
    export(FakeRun(), tmp_path / "a.csv", tmp_path / "a.parquet")
    parquet = pytest.importorskip("pyarrow.parquet")

    assert (tmp_path / "a.csv").read_bytes() == b"iteration,node,task,name,step,value\r\n"
    assert parquet.read_table(tmp_path / "a.parquet").num_rows == 0


def test_without_pyarrow_the_command_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line; what was there stays, and nothing is left beside it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_text("before", encoding="utf-8")

    with pytest.raises(UsageError, match=r"pip install 'manta-nb\[parquet\]'"):
        export(run(), tmp_path / "a.parquet")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["before"]
