"""Going on from a run as another one: `fork` from any committed iteration, `repeat` from the start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from manta_nb.engine.wording import one_line
from manta_nb.errors import MissingTag, StoreError, UsageError
from manta_nb.sdk.codec import decode
from manta_nb.sdk.module import Module
from manta_nb.session.exporting import Exported, export
from manta_nb.session.ground import check_states, copy_states, keep_values
from manta_nb.session.planning import anew, checked_name, checked_seed, run_limit
from manta_nb.session.views import misspelt
from manta_nb.store.ports import Store
from manta_nb.store.records import RunHead

if TYPE_CHECKING:
    from manta_nb.session.legs import Legs
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["Branches", "Limit"]

Limit = int | Literal["forever"] | None


class Branches:
    """What a `Run` can become: another run that goes on from it, or repeats it."""

    name: str
    run_id: str
    _legs: Legs
    #: the session it runs in; for one that was opened from a store `_home` starts it when it is needed
    _session: Session | None = None
    _home: Callable[[], Session] | None = None
    #: where one that was opened from a store is kept
    _store: Store | None = None
    #: what the session of an earlier kernel was started with (`options`, and `missing`: what could not be kept)
    stored_session: Mapping[str, Any] | None = None

    @property
    def parent(self) -> tuple[str, int | None] | None:
        """The run it goes on from, and the iteration of that (None: it repeats it); None: it is no branch."""
        return self._legs.made.parent

    @property
    def modules(self) -> dict[str, Module]:
        """Alias → the module that runs for it."""
        return {task.alias: task.module for task in self._legs.graph.tasks}

    @property
    def head(self) -> RunHead | None:
        """What was asked for: code, nodes, versions of packages, where it was started."""
        return self._legs.head

    def export(self, *paths: str | os.PathLike[str]) -> Exported:
        """Write it to files, by their suffixes; files that are there are replaced.

        `.csv` and `.parquet` take the metrics, `.npz` and `.safetensors` the Globals, `.html` a report of the run.

        Example:
            >>> fl.export("metrics.csv", "model.npz", "report.html")
        """
        return export(cast("Run", self), *paths)

    def fork(
        self,
        iteration: int | None = None,
        globals: Mapping[str, Any] | None = None,
        *,
        iterations: Limit = None,
        seed: int | None = None,
        name: str | None = None,
        session: Session | None = None,
    ) -> Run:
        """Go on as another run from what a committed iteration left, with some Globals changed; see `compare`.

        Args:
            iteration: its number, from 0; None: the latest. Its Globals have to be held: `held()` lists those.
            globals: tag → new value.
            iterations: complete iterations in all; None: as many as this run.
            seed: None: that of this run. name: None: such as `fl@7`.
            session: nodes to run on; by default those of this run.

        Example:
            >>> faster = fl.fork(iteration=7, globals={"lr": 0.3})

        Raises:
            StoreError: that iteration is no longer held. UsageError: there is no such iteration, or nothing to do.
        """
        run = cast("Run", self)
        return _fork(run, session or self._in_session(), iteration, globals, iterations, seed, name)

    def repeat(
        self, iterations: Limit = None, *, seed: int | None = None, session: Session | None = None
    ) -> Run:
        """The same code, first Globals and seed (or another one) once more, as a run of its own."""
        if self.parent is not None and self.parent[1] is not None:
            raise UsageError(f"{self.name} is a fork: fork or repeat the run it came from")
        run, home = cast("Run", self), session or self._in_session()
        made = run._legs.made
        return home._add(anew(made, made.globals, iterations, seed), None)

    def _in_session(self) -> Session:
        """The session it runs in; of a run that was opened from a store one like that it had, started now."""
        if self._session is None or (self._session.closed and self._home is not None):
            if self._home is None:
                raise UsageError(f"{self.name} has no nodes: give session=")
            self._session = self._home()
        return self._session

    def held(self) -> list[int]:
        """The committed iterations whose Globals are held: `fork` can go on from these."""
        store = self._store if self._session is None else self._session.store
        if store is None:
            raise UsageError(f"{self.name} is not kept")
        numbers = [each.iteration for each in store.iterations(self.run_id) if each.held]
        if not self._legs.checkpoint.states:
            return numbers
        return [number for number in numbers if self._has_states(store, number)]

    def global_at(self, tag: str, iteration: int) -> Any:
        """The value that a Global had when `iteration` was committed; `held()` says which of them are kept.

        Raises:
            UsageError: the run is not kept, or has no such iteration. MissingTag: there is no such Global.
            StoreError: the values of that iteration are kept no more.
        """
        store = self._store if self._session is None else self._session.store
        if store is None:
            raise UsageError(f"{self.name} is not kept")
        checkpoint = store.checkpoint(self.run_id, _whole(cast("Run", self), iteration) + 1)
        if tag not in checkpoint.globals:
            raise MissingTag(misspelt("Global", tag, checkpoint.globals))
        ref = checkpoint.globals[tag]
        return decode(store.segment(ref.segment.key)[ref.offset : ref.offset + ref.nbytes])

    def _has_states(self, store: Store, number: int) -> bool:
        try:
            check_states(store, self.run_id, store.checkpoint(self.run_id, number + 1))
        except StoreError:
            return False
        return True


def _fork(
    run: Run,
    session: Session,
    iteration: int | None,
    globals: Mapping[str, Any] | None,
    iterations: Limit,
    seed: int | None,
    name: str | None,
) -> Run:
    """A run that goes on from what `iteration` of `run` left (None: the latest), with some Globals changed."""
    store, made = session.store, run._legs.made
    checkpoint = store.checkpoint(run.run_id, None if iteration is None else _whole(run, iteration) + 1)
    edits = dict(globals or {})
    for tag in edits:
        if tag not in checkpoint.globals:
            raise MissingTag(misspelt("Global", tag, checkpoint.globals))
    done = checkpoint.iterations
    limit = run.iterations if iterations is None else run_limit(iterations)
    if limit is not None and limit <= done:
        raise UsageError(
            f"{run.name} has {limit} iterations, all of them done at that point: "
            f"{run.name}.fork(iterations={done + 10}) goes on to {done + 10}"
        )
    plan = replace(
        made.plan,
        run_id=secrets.token_hex(8),
        name=f"{run.name}@{done - 1}" if name is None else checked_name(name),
        iterations=limit,
        seed=run.seed if seed is None else checked_seed(seed),
    )
    ground = session._ground(None)
    keep_values(ground.book, store, checkpoint)
    copy_states(store, run.run_id, plan.run_id, checkpoint)
    ground.book.lend(checkpoint.keys)
    start = replace(checkpoint, globals={**checkpoint.globals, **ground.book.create(edits)})
    return session._add(replace(made, plan=plan, parent=(run.run_id, done - 1)), None, start)


def _whole(run: Run, iteration: object) -> int:
    if isinstance(iteration, bool) or not isinstance(iteration, int) or not 0 <= iteration < run.iteration:
        there = f"0 to {run.iteration - 1}" if run.iteration else "none yet"
        raise UsageError(one_line(f"no committed iteration {iteration!r} of {run.name}: there are {there}"))
    return iteration
