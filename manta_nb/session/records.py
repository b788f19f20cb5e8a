"""A list of records that reads well: a table in a notebook, a DataFrame where one is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from manta_nb.render import Shown, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Records"]

Record = dict[str, Any]
#: what holds ids of models
_IDS = ("model", "parent", "checksum")


class Records(Shown, Sequence[Record]):
    """Dicts of one kind, in order.

    Example:
        >>> fedn.validations(run)[-1]
        {'round': 6, 'node': 'node_2', 'metrics': {'test_accuracy': 0.97}}
        >>> fedn.validations(run).to_pandas().groupby("round").mean(numeric_only=True)
    """

    def __init__(self, what: str, rows: Sequence[Record]) -> None:
        self._what = what
        self._rows = list(rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> Records: ...

    def __getitem__(self, index: int | slice) -> Record | Records:
        return Records(self._what, self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return self._rows == (other._rows if isinstance(other, Records) else other)

    __hash__ = None  # type: ignore[assignment]

    def to_pandas(self) -> pd.DataFrame:
        """One row a record; what a record holds in a dict has columns of its own."""
        import pandas as pd  # noqa: PLC0415 - 0.3 s, for those who ask

        return pd.DataFrame([_flat(row) for row in self._rows])

    def __str__(self) -> str:
        return str(self._table()) if self._rows else f"no {self._what}"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if self._rows else f"<i>no {self._what}</i>"

    def _table(self) -> Table:
        rows = [_flat(row) for row in self._rows]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        cells = [[_cell(name, row.get(name)) for name in columns] for row in rows]
        return Table(columns, cells, f"{len(rows)} {self._what}")


def _flat(row: Record) -> Record:
    flat: Record = {}
    for name, value in row.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _cell(name: str, value: object) -> object:
    if name in _IDS and isinstance(value, str):
        # enough to tell them apart; a record has the whole
        return value[:8]
    if isinstance(value, list) and name == "tail":
        # the end of what was printed says most
        return value[-1] if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
