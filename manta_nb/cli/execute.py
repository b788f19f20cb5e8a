"""Executes a notebook with the Python that runs this, and tells what its cells show meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

__all__ = ["Told", "execute"]

#: called with the text of what a cell shows, and again whenever that changes
Told = Callable[[str], None]

_SHOWN = ("display_data", "update_display_data", "execute_result")


class _OwnKernel(AsyncKernelManager):
    """A kernel of this very Python, whatever kernels the user has installed under the name `python3`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.has_trait("transport_encryption") and zmq.has("curve"):
            # Without it a kernel warns that its messages could be read.
            self.set_trait("transport_encryption", "auto")

    @property
    def kernel_spec(self) -> KernelSpec:
        """How it is started."""
        return KernelSpec(**get_kernel_dict())


class _Client(NotebookClient):
    """An nbclient that passes on the text of outputs as they come."""

    told: Told

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Look at a message, then let nbclient do its work."""
        text = msg["content"].get("data", {}).get("text/plain")
        if text and msg["msg_type"] in _SHOWN:
            self.told(text)
        return super().process_message(msg, cell, cell_index)


def execute(source: Path, target: Path, environment: Mapping[str, str], told: Told) -> Any:
    """Run all cells in the folder of `target`, and write the notebook with its outputs there.

    Where a cell fails the notebook is written as far as it came, and nbclient's `CellExecutionError` is raised.

    Returns:
        The executed notebook.
    """
    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    target.parent.mkdir(parents=True, exist_ok=True)
    client = _Client(
        notebook,
        kernel_manager_class=_OwnKernel,
        timeout=600,
        resources={"metadata": {"path": str(target.parent)}},
    )
    client.told = told
    try:
        client.execute(env=dict(environment))
    finally:
        nbformat.write(notebook, target)  # type: ignore[no-untyped-call]
    return notebook
