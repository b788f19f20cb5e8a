"""A node that takes part in a swarm of scripts: its turns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.nodes.attendant import Attendant
from manta_nb.compat.swarm_learning.nodes.ending import how_it_ended
from manta_nb.compat.swarm_learning.nodes.places import Places
from manta_nb.compat.swarm_learning.nodes.reporting import Held, emit, report, tell_measures
from manta_nb.compat.swarm_learning.rounds.settings import Settings
from manta_nb.errors import PackageError
from manta_nb.sdk.context import current_context
from manta_nb.sdk.task import Task

__all__ = ["Participant"]

#: where a node's attendant is kept between turns
_LIVE = "swarm_learning"
#: seconds that a script may take to end, at least, once the first one has after the last merge
ENDING = 3600.0


class Participant:
    """One turn of a node: `Participant(task, settings, program).train(known)`.

    Args:
        task: the task whose turn it is.
        settings: what the run knows of the script, see `Settings`.
        program: gives the script and its folder, where the node has no copy of it yet.
    """

    def __init__(
        self, task: Task, settings: Mapping[str, Any], program: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._task = task
        self._world = task.world
        self._settings = Settings.of(settings)
        self._node_id = task.world.node_id
        self._program = program
        #: merges count from 1
        self._round = task.world.iteration + 1

    def train(self) -> None:
        """Let the script train until it checks in, or has ended; its check-in and its weights are results.

        A script that missed a merge (its node was away, or slow) takes over the latest model first.

        Raises:
            PackageError: the script has ended with an error: its node has left.
        """
        held = self._held()
        attendant = held.attendant
        while True:
            attendant.attend(lambda: attendant.waiting is not None or self._world.released)
            if attendant.exit_code is not None:
                self._gone(attendant)
                return
            if self._world.released and attendant.waiting is None:
                return
            self._check_peers(attendant)
            if attendant.base == self._round - 1:
                break
            self._catch_up(attendant)
        self._check_in(held)

    def adopt(self) -> None:
        """Hand the script the merged model; after the last merge, wait for its end and report.

        What the script found on its validation data is a metric of the run.
        """
        held: Held | None = self._task.local.live.get(_LIVE)
        merge = self._world.globals["merge"]
        over = bool(merge["over"])
        if held is None:
            # its process was lost after it had checked in
            return
        attendant = held.attendant
        # a node that is lost just now takes the model over when it is back; one that never ends is done without
        patience = max(ENDING, self._settings.deadline) if over else self._settings.patience
        self._world.quorum(1, patience=patience, deadline=math.inf, away=over)
        if attendant.waiting is not None:
            # it may have come while the others merged: then what it has is of an older model
            self._hand_over(attendant, over=over, adopted=self._node_id not in merge["nodes"])
        while over and attendant.exit_code is None and not self._world.released:
            # one that was still training is given the final model at its next check-in
            attendant.attend(lambda: attendant.waiting is not None or self._world.released)
            if attendant.waiting is not None:
                self._hand_over(attendant, over=True, adopted=True)
        if attendant.exit_code is not None:
            report(self._task, self._settings, held)

    def alone(self) -> None:
        """Run the script to its end without any merge (SWARM_LOOPBACK).

        Raises:
            PackageError: it has ended with an error.
        """
        held = self._held()
        held.attendant.attend(lambda: False)
        tell_measures(self._task, held.attendant)
        report(self._task, self._settings, held)
        if held.attendant.exit_code:
            raise PackageError(how_it_ended(held.attendant.exit_code, held.attendant.tail))

    def _held(self) -> Held:
        held: Held | None = self._task.local.live.get(_LIVE)
        if held is None:
            held = self._start()
            self._task.local.live[_LIVE] = held
        return held

    def _start(self) -> Held:
        settings = self._settings
        datasets = current_context("a script").datasets
        program = Program.of(self._program())
        variables = settings.environment(self._node_id)
        given = [*settings.arguments, *variables.values()]
        places = Places.prepare(self._task.local.folder, program, datasets, settings.data, given)
        own: dict[str, str] = {}
        if settings.loopback:
            own["SWARM_LOOPBACK"] = "true"
        if settings.min_peers is not None:
            own["MIN_PEERS"] = str(settings.min_peers)
        # the task's own generator is seeded for this iteration, task and node
        variables = places.environment({"NODE_ID": self._node_id, **own, **variables}, random.getrandbits(62))
        command = places.command(["python", settings.script, *settings.arguments])
        if self._round > 1 and not settings.loopback:
            self._task.logger.info("%s starts anew and takes over the latest model", settings.script)
        return Held(places, Attendant.start(command, places.model, variables, emit))

    def _check_peers(self, attendant: Attendant) -> None:
        hello = attendant.hello or {}
        peers, nodes = int(hello.get("min_peers", 1)), len(self._settings.nodes)
        if peers > nodes:
            message = f"min_peers={peers} in the script, but this run has {nodes} nodes: give --nodes {peers}"
            attendant.refuse(message)
            raise PackageError(message)
        asked = self._settings.min_peers
        if self._round == 1 and asked is not None and peers != asked:
            self._task.logger.warning("the script asks for min_peers=%d: that counts, not %d", peers, asked)

    def _catch_up(self, attendant: Attendant) -> None:
        if not self._hand_over(attendant, over=False, adopted=True):
            return
        self._task.logger.info("took over the model of merge %d", self._round - 1)

    def _check_in(self, held: Held) -> None:
        attendant = held.attendant
        at, hello = attendant.waiting, attendant.hello or {}
        assert at is not None  # noqa: S101 - for the type checker
        knobs = self._world.globals["knobs"]
        mode, weight = knobs["modes"].get(self._node_id), knobs["weights"].get(self._node_id)
        mode, weight = mode or at.mode, at.weight if weight is None else float(weight)
        if at.ending and mode == "inactive":
            weight = 0.0
        results = self._world.results
        told = {"kind": at.kind, "mode": mode, "weight": weight, "epochs": at.epochs}
        results.add("check_in", {**_facts(hello), **told, "model_dir": str(held.places.model)})
        if weight and not (at.ending and mode == "active" and self._round > 1):
            results.add("weights", dict(at.arrays))
        patience = self._settings.deadline if at.ending else self._settings.patience
        self._world.quorum(
            int(hello.get("min_peers", 1)),
            patience=patience,
            deadline=self._settings.deadline,
            away=at.ending,
        )

    def _gone(self, attendant: Attendant) -> None:
        """It has ended without a last check-in: with exit code 0 it stays a peer that contributes nothing."""
        if attendant.exit_code:
            raise PackageError(how_it_ended(attendant.exit_code, attendant.tail))
        hello = attendant.hello or {}
        facts = {**_facts(hello), "kind": "gone", "mode": "inactive", "weight": 0.0}
        self._world.results.add("check_in", facts)
        deadline = self._settings.deadline
        self._world.quorum(int(hello.get("min_peers", 1)), patience=deadline, deadline=deadline, away=True)

    def _hand_over(self, attendant: Attendant, over: bool, adopted: bool) -> bool:
        """Give it the merged model and wait until it has loaded it; whether it did."""
        known = self._world.globals
        merge = known["merge"]
        model = known.get("model")
        at = attendant.waiting
        # one that has ended gets every merge from now on, and says no more
        stays = at is not None and at.ending and not adopted and not over
        if not stays:
            attendant.waiting = None
        if not attendant.merged(
            int(merge["round"]), model, over=over, interval=int(merge["next_interval"]), adopted=adopted
        ):
            attendant.attend(lambda: False)
            return False
        attendant.attend(lambda: attendant.loaded is not None)
        tell_measures(self._task, attendant)
        return attendant.loaded is not None


def _facts(hello: Mapping[str, Any]) -> dict[str, Any]:
    """What a merge has to know of a script's SwarmCallback."""
    names = ("sync_interval", "adaptive", "merge_method")
    return {name: hello[name] for name in names if name in hello}
