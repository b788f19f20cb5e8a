"""`.csv` files of several nodes made into one: the rows one under the other, below one header."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from manta_nb.data.pooling.sameness import chunks

__all__ = ["Table", "common_header", "join_tables", "read_head", "rows_below"]

_BOM = b"\xef\xbb\xbf"
#: a header longer than this is none
_MOST = 1 << 22


@dataclass(frozen=True)
class Table:
    """A file and its first row."""

    path: Path
    #: cells of the first row, without blanks around them; none in an empty file
    first: tuple[str, ...]
    #: bytes up to the end of that row
    length: int

    @property
    def numbers(self) -> int:
        """How many cells of the first row are numbers: of a header seldom any, of data seldom none."""
        return sum(map(_is_number, self.first))

    @property
    def counted(self) -> bool:
        """Whether the first row is 0, 1, 2, …, as pandas calls columns without names."""
        return len(self.first) > 1 and list(self.first) == [str(number) for number in range(len(self.first))]


def read_head(path: Path) -> Table | None:
    """The first row of a file; None where it is no table of text."""
    with path.open("rb") as stream:
        line = stream.readline(_MOST)
        # a line break inside quotes does not end the row
        while line.count(b'"') % 2 and len(line) < _MOST and (more := stream.readline(_MOST)):
            line += more
    if b"\0" in line or len(line) >= _MOST:
        return None
    try:
        text = line.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    delimiter = max(",;\t", key=text.count)
    cells = next(csv.reader(text.splitlines(), delimiter=delimiter), [])
    return Table(path, tuple(cell.strip() for cell in cells), len(line))


def common_header(tables: Mapping[str, Table]) -> bool | None:
    """Whether tables have a header, the same; None where they are not tables of the same columns."""
    filled = [table for table in tables.values() if table.first]
    firsts = {table.first for table in filled}
    if len(firsts) <= 1 and all(table.counted or table.numbers < len(table.first) for table in filled):
        return True
    if all(table.numbers for table in filled) and len({len(first) for first in firsts}) == 1:
        return False
    return None


def rows_below(table: Table, headed: bool) -> int:
    """How many lines with anything in them a table has, without its header."""
    with table.path.open("rb") as stream:
        stream.seek(table.length if headed else 0)
        return sum(1 for line in stream if line.strip())


def join_tables(out: IO[bytes], tables: Mapping[str, Table], headed: bool) -> None:
    """Write the rows of all tables, in their order; the header, if they have one, once."""
    begun, last = False, b"\n"
    for table in tables.values():
        with table.path.open("rb") as stream:
            if headed and begun:
                stream.seek(table.length)
            elif begun and stream.read(len(_BOM)) != _BOM:
                stream.seek(0)
            begun = begun or bool(table.first)
            for number, chunk in enumerate(chunks(stream)):
                if number == 0 and last != b"\n":
                    out.write(b"\n")
                out.write(chunk)
                last = chunk[-1:]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
