"""A run is asked to stop by whoever sees the store; only its owner hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.errors import StoreError
from manta_nb.store.ports import Store
from manta_nb.store.sqlite import SqliteStore
from tests.store.making import run_id


def test_the_owner_hears_it_once(store: Store) -> None:
    """With the reason, and not again."""
    store.claim(run_id())
    store.ask_to_stop(run_id(), "enough, dit Élève_1")

    assert store.asked_to_stop(run_id()) == "enough, dit Élève_1"
    assert store.asked_to_stop(run_id()) is None


def test_a_run_that_nobody_has_cannot_be_stopped(store: Store) -> None:
    """Neither one that there never was nor one that was let go."""
    store.claim(run_id())()

    with pytest.raises(StoreError, match="nothing to stop"):
        store.ask_to_stop(run_id(), "enough")


def test_a_new_owner_does_not_hear_what_the_last_one_was_asked(store: Store) -> None:
    """What came too late for one leg of a run does not end the next one."""
    release = store.claim(run_id())
    store.ask_to_stop(run_id(), "enough")
    release()
    store.claim(run_id())

    assert store.asked_to_stop(run_id()) is None


def test_another_process_asks_through_the_folder(tmp_path: Path) -> None:
    """Two stores of one folder, as two kernels have them; a reason is one line, whatever was written there."""
    owner, other = SqliteStore(tmp_path / "s"), SqliteStore(tmp_path / "s")
    owner.claim(run_id())
    other.ask_to_stop(run_id(), "line\n" * 100)

    said = owner.asked_to_stop(run_id())

    assert said is not None
    assert "\n" not in said
    assert len(said) <= 200
    owner.close()
    other.close()
