"""Runs in a store, for lists of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from manta_nb.engine.records import Status
from manta_nb.session.pastruns import PastRuns
from manta_nb.store.ports import Store
from tests.session.fake_run import FakeRun
from tests.store.making import ENDING, Story

__all__ = ["Opener", "kept", "past", "running"]


def kept(
    store: Store, number: int, name: str = "fl", status: Status = "completed", ago: float = 0, **more: Any
) -> str:
    """A run of two iterations that was written `ago` seconds before now; its id. "interrupted": it never ended."""
    then = time.time() - ago
    story = Story(store, number, begin=False)
    story.head = replace(story.head, plan=replace(story.head.plan, name=name), started=then, **more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: then)
        store.begin(story.head)
        story.commit(2)
        if status != "interrupted":
            best = {"acc": (0.1, 0, 0.9, 1), "loss": (0.2, 1, 2.0, 0)}
            store.finish(story.run_id, replace(ENDING, status=status, ended=then, best=best))
    return story.run_id


def running(store: Store, number: int, name: str = "fl") -> tuple[str, Callable[[], None]]:
    """A run that somebody has; its id, and what ends that."""
    run_id = kept(store, number, name, "interrupted")
    return run_id, store.claim(run_id)


class Opener:
    """Reopens runs, and counts how often."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.opened: list[str] = []

    def __call__(self, run_id: str) -> Any:
        self.opened.append(run_id)
        info = self.store.info(run_id)
        return FakeRun(run_id, info.name, info.status, iteration=info.iterations)


def past(store: Store, *live: Any, **more: Any) -> PastRuns:
    """The list of them, with these runs of this kernel."""
    return PastRuns(store, lambda: live, Opener(store), **more)
