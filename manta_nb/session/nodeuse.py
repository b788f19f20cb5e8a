"""The nodes of one run: how long each worked for it, and how many bytes left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

from manta_nb.render import Table
from manta_nb.sdk.refusal import size_text
from manta_nb.session.views import View

__all__ = ["RunNodes"]


class RunNodes(View, Sequence[str]):
    """The names of the nodes a run may use, as a list; shown as a table of what each did.

    Example:
        >>> fl.nodes              # node, seconds of tasks, bytes that left it
        >>> fl.nodes[0]
        'node_0'
    """

    def __init__(
        self, nodes: Sequence[str], seconds: Mapping[str, float], bytes_out: Mapping[str, int]
    ) -> None:
        self._nodes = list(nodes)
        #: node → seconds it spent in tasks, all iterations together
        self.seconds = seconds
        #: node → bytes that left it as results and Globals, all iterations together
        self.bytes_out = bytes_out

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._nodes[index]

    def __len__(self) -> int:
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        return list(self) == other if isinstance(other, list) else self is other

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return str(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def _table(self) -> Table:
        rows = [
            [node, f"{self.seconds.get(node, 0.0):.2f} s", size_text(self.bytes_out.get(node, 0))]
            for node in self
        ]
        return Table(["node", "in tasks", "bytes out"], rows)
