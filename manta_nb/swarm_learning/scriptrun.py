"""`ScriptRun`: a run of a training script, with its merges, its nodes, its knobs and its baselines."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.records import Records
from manta_nb.session.run import Run
from manta_nb.swarm_learning import outcome
from manta_nb.swarm_learning.comparing import Baselines, Comparison, compare

if TYPE_CHECKING:
    from manta_nb.compat.swarm_learning.folder import Program
    from manta_nb.session.session import Session
    from manta_nb.swarm_learning.preparing import Prepared, Wishes

__all__ = ["ScriptRun"]

_MODES = ("snapshot", "active", "inactive")


class ScriptRun:
    """A `Run` whose iterations are merges; all that a `Run` has, it has, too.

    Made by `swarm_learning.run` and `%%swarm_learning`.

    Example:
        >>> run.wait().merges
        >>> run.metrics.plot("val_accuracy")
        >>> run.set_weight("node_1", 3)
        >>> run.compare(local=True, central=True)
    """

    def __init__(
        self, run: Run, session: Session, prepared: Prepared, wishes: Wishes, notes: Sequence[str] = ()
    ) -> None:
        self.run = run
        #: one line each: what a person should know before the first merge
        self.notes = list(notes)
        #: its nodes: `run.session.nodes["node_1"].kill()`
        self.session = session
        self._prepared = prepared
        self._wishes = wishes
        self._baselines = Baselines()

    @property
    def program(self) -> Program:
        """The script with its folder: `swarm_learning.run(run.program, …)` runs it on other data or otherwise."""
        return self._prepared.program

    @property
    def merges(self) -> Records:
        """Every merge so far: who took part, with which weight; see `swarm_learning.merges`."""
        return outcome.merges(self.run)

    @property
    def scripts(self) -> Records:
        """What became of each node's script; see `swarm_learning.nodes`."""
        return outcome.nodes(self.run)

    def wait(self, timeout: float | None = None, check: bool = True) -> ScriptRun:
        """Wait for the end; see `Run.wait`."""
        self.run.wait(timeout, check)
        return self

    def __await__(self) -> Generator[Any, None, ScriptRun]:
        yield from self.run.__await__()
        return self

    def resume(self, *args: Any, **options: Any) -> ScriptRun:
        """Go on where it was stopped; see `Run.resume`. Its scripts begin anew, with the latest merged model."""
        return self._of(self.run.resume(*args, **options))

    def fork(self, *args: Any, **options: Any) -> ScriptRun:
        """Go on from an earlier merge another way; see `Run.fork`."""
        return self._of(self.run.fork(*args, **options))

    def repeat(self, *args: Any, **options: Any) -> ScriptRun:
        """Run the same once more; see `Run.repeat`."""
        return self._of(self.run.repeat(*args, **options))

    def _of(self, run: Run) -> ScriptRun:
        return self if run is self.run else ScriptRun(run, self.session, self._prepared, self._wishes)

    def set_weight(self, node: str, weight: float) -> ScriptRun:
        """Let a node count so much from the next merge on, whatever its script says; 0: not at all."""
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise UsageError(f"a weight is a number ≥ 0, got {shorten(repr(weight), 40)}")
        return self._turn("weights", node, float(weight))

    def set_mode(self, node: str, mode: str) -> ScriptRun:
        """What a node contributes once its training is over: "snapshot", "active" or "inactive"."""
        if mode not in _MODES:
            raise UsageError(
                one_line(
                    f"a mode is {listed(_MODES)}, got {shorten(repr(mode), 40)}{did_you_mean(mode, _MODES)}"
                )
            )
        return self._turn("modes", node, mode)

    def compare(self, local: bool = True, central: bool = True) -> Comparison:
        """Train baselines with the same script, and set them beside this run.

        Each node alone, and one that has the data of all, with SWARM_LOOPBACK: no merges. What is compared is what
        `evaluate` says of each final model, or where there is none, the metrics on `val_data`.

        Raises:
            UsageError: the run is not over, or there is no number to compare.
        """
        return compare(self, local, central)

    def _turn(self, what: str, node: str, value: object) -> ScriptRun:
        if node not in self.run.nodes:
            names = list(self.run.nodes)
            near = did_you_mean(node, names)
            raise UsageError(one_line(f"no node {shorten(str(node), 40)!r}{near}: there are {listed(names)}"))
        self.run.set_global("knobs", value, (what, node))
        return self

    def __getattr__(self, name: str) -> Any:
        # only what is not found here: `metrics`, `globals`, `status`, `stop`, the display of a notebook
        if name == "run":
            raise AttributeError(name)
        return getattr(self.run, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.run)})

    def __repr__(self) -> str:
        return repr(self.run)

    def __str__(self) -> str:
        return str(self.run)

    def _ipython_display_(self) -> None:
        self.run._ipython_display_()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.run._repr_mimebundle_(include, exclude)
