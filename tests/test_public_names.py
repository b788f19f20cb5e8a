"""The one door: what `manta_nb` offers, and that all of it is there."""

from __future__ import annotations

import manta_nb


def test_public_names_are_sorted() -> None:
    """`__all__` is in the order in which one looks a name up."""
    assert sorted(manta_nb.__all__) == manta_nb.__all__


def test_public_names_are_these() -> None:
    """A name enters or leaves the door on purpose only."""
    assert manta_nb.__all__ == [
        "MantaError",
        "Module",
        "Run",
        "RunFailed",
        "Session",
        "Swarm",
        "Task",
        "builder",
        "bytes_to_numpy",
        "data",
        "fedn",
        "load_ipython_extension",
        "numpy_to_bytes",
        "runs",
        "unload_ipython_extension",
    ]


def test_every_public_name_is_there_and_documented() -> None:
    """Each can be imported, and says what it is."""
    undocumented = [name for name in manta_nb.__all__ if not getattr(manta_nb, name).__doc__]

    assert undocumented == []


def test_dir_lists_what_is_loaded_lazily() -> None:
    """Tab completion shows a name before anybody has used it."""
    assert set(manta_nb.__all__) <= set(dir(manta_nb))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`hasattr` works, and `from manta_nb import nonsense` is an ImportError."""
    assert not hasattr(manta_nb, "nonsense")
