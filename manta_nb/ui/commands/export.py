"""The verb `export`: a run as files."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.errors import UsageError
from manta_nb.session.exporting import Exported
from manta_nb.session.exporting import export as write
from manta_nb.session.exporting.writing import checked, suffix_of
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["export"]


def export(notebook: Notebook, options: Namespace) -> Exported:
    """Write a run to files, by their suffixes; where none is named, the latest run.

    Raises:
        UsageError: there is no such run, no file, or one that cannot be there. StoreError: it cannot be written.
    """
    words = [word for word in (options.run, *(options.file or ())) if word is not None]
    # the run may be left out: the first word is a file then
    leads = bool(words) and not suffix_of(words[0]) and (len(words) > 1 or "." not in words[0])
    named = words.pop(0) if leads else None
    if not words:
        raise UsageError("%manta export needs a file: %manta export fl fl.html fl.npz fl.csv")
    # before the run is opened, which may take a second
    checked([(word, "") for word in words])
    return write(_run(notebook, named), *words)


def _run(notebook: Notebook, word: str | None) -> Run:
    past = notebook.past()
    if word is not None:
        return past[word]
    if not len(past):
        raise UsageError("there is no run yet: write a %%swarm cell, such as %%swarm fl --iterations 5")
    return past.latest()
