"""What a merge decides: who takes part with which weight, the model, the next interval, and whether it was the last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manta_nb.compat.swarm_learning.merging.adaptive import Adaptive
from manta_nb.compat.swarm_learning.merging.methods import merge
from manta_nb.compat.swarm_learning.merging.source import load_merge
from manta_nb.compat.swarm_learning.rounds.settings import Settings
from manta_nb.errors import PackageError
from manta_nb.sdk.names import listed
from manta_nb.sdk.task import Task
from manta_nb.sdk.world import LAST

__all__ = ["Merger"]

#: merges that a node misses in a row before that is said
MISSED = 3


class Merger:
    """The turn of the node that merges."""

    def __init__(self, task: Task) -> None:
        self._world = task.world
        self._log = task.logger
        self._known = task.world.globals
        self._settings = Settings.of(self._known["swarm_learning"])
        self._round = task.world.iteration + 1

    def merge(self) -> bool:
        """Write the Globals `model`, `merge` and `merges`; returns whether it was the last merge.

        Raises:
            PackageError: no script has checked in, or all weights are 0.
        """
        results = self._world.results
        check_ins = results.select("check_in", iteration=self._world.iteration)
        if not any("sync_interval" in each for each in check_ins.values()):
            raise PackageError(
                f"no SwarmCallback was made on {listed(sorted(check_ins))}: the script trained by itself"
            )
        over = all(each["kind"] in ("end", "gone") for each in check_ins.values())
        weights = {node: each["weight"] for node, each in check_ins.items()}
        method = self._method(check_ins)
        merged = self._merged(method, check_ins, weights)
        if merged is not None:
            self._known["model"] = merged
        interval = self._interval(check_ins)
        left_out = [node for node in self._settings.nodes if node not in check_ins]
        self._warn(left_out)
        record = {
            "round": self._round,
            "nodes": weights,
            "kinds": {node: each["kind"] for node, each in check_ins.items()},
            "interval": interval[0],
            "next_interval": interval[1],
            "method": method if not self._settings.merge_source else "own",
            "over": over,
            "left_out": left_out,
        }
        self._known["merge"] = record
        self._known["merges"] = [*self._known["merges"], record]
        if not over:
            self._schedule()
        return over

    def _merged(
        self, method: str, check_ins: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float]
    ) -> dict[str, Any] | None:
        """The new model; None where nobody contributes anything, and the one before stays."""
        own = self._world.results.select("weights", iteration=self._world.iteration)
        before = self._known.get("model")
        active = [node for node in check_ins if weights[node] and node not in own]
        models = {**own, **{node: before for node in active if before is not None}}
        if not models:
            training = any(each["kind"] not in ("end", "gone") for each in check_ins.values())
            if training or before is None:
                raise PackageError(
                    f"merge {self._round}: the weights of {listed(sorted(check_ins))} are all 0: give one a weight"
                )
            return None
        how = load_merge(self._settings.merge_source) if self._settings.merge_source else method
        return merge(how, models, {node: weights[node] for node in models}, before)

    def _warn(self, left_out: list[str]) -> None:
        """Say it where a node has missed so many merges that its data hardly count."""
        before = [set(each["left_out"]) for each in self._known["merges"]][-(MISSED - 1) :]
        for node in left_out:
            if len(before) == MISSED - 1 and all(node in each for each in before):
                self._log.warning(
                    "%s has missed %d merges in a row: what it learns is lost. A longer --patience waits for it",
                    node,
                    MISSED,
                )

    def _method(self, check_ins: Mapping[str, Mapping[str, Any]]) -> str:
        asked = [each["merge_method"] for each in check_ins.values() if "merge_method" in each]
        return self._settings.merge_method or (asked[0] if asked else "mean")

    def _interval(self, check_ins: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
        """Batches up to this merge, and up to the next one: another number where it adapts itself."""
        asked = [each for each in check_ins.values() if "sync_interval" in each]
        start = int(asked[0]["sync_interval"])
        before = self._known.get("adaptive")
        state = Adaptive.of(before) if before is not None else Adaptive.start_at(start)
        current = state.interval
        if not any(each.get("adaptive") for each in asked) or self._round == 1:
            # 0: each script goes on with its own
            return current, 0
        losses = self._world.results.select("loaded", iteration=self._world.iteration - 1)
        after = state.next([each["loss"] for each in losses.values() if each["loss"] is not None])
        self._known["adaptive"] = after.as_value()
        if after.interval != current:
            self._log.info("sync interval %d → %d: %s", current, after.interval, after.reason)
        return current, after.interval

    def _schedule(self) -> None:
        """Nodes whose script ended with an error take no further turns."""
        reports = self._world.results.select("node", method=LAST)
        left = {node for node, each in reports.items() if each["exit_code"]}
        if left:
            stay = [node for node in self._settings.nodes if node not in left]
            for alias in ("train", "adopt"):
                self._world.schedule_next_iter(stay, alias)
