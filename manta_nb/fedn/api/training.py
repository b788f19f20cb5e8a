"""`Training`: one session of FEDn, which is a run; FEDn's word for its iterations is rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from manta_nb.errors import MissingTag
from manta_nb.fedn import outcome
from manta_nb.fedn.api.records import ModelRecord, RoundRecord, ValidationRecord, now

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["Training"]

_STATUSES = {"completed": "Finished", "stopped": "Terminated"}


class Training:
    """A run, as FEDn tells of a session.

    Args:
        run: the run.
        session: the nodes it runs on.
        config: the options of the session, as `start_session` answers with them.
        name: what a person called it; "" for nothing.
        begins: the id of the model that the first round begins with.
        first: the number of the first round.
    """

    def __init__(
        self, run: Run, session: Session, config: Mapping[str, Any], name: str, begins: str, first: int
    ) -> None:
        self.id: str = config["session_id"]
        self.run, self.session = run, session
        self.config = dict(config)
        #: options that FEDn tells of from 0.9 on
        self.further: dict[str, Any] = {}
        self.name = name
        self.begins = begins
        self.started = now()
        #: (rounds of this session before, number of the next one): one more each time it is continued
        self._legs = [(0, first)]
        self._committed: dict[int, datetime] = {}
        self._reports: dict[int, list[ValidationRecord]] = {}
        run.watch(self._note)

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.run.finished

    @property
    def status(self) -> str:
        """Started, Finished, Terminated or Failed."""
        return _STATUSES.get(self.run.status, "Failed") if self.over else "Started"

    def committed(self, number: int) -> datetime:
        """When round `number` of this session was complete."""
        self._note(self.run)
        return self._committed[number]

    def model_id(self, number: int) -> str:
        """The id of the model that round `number` left; 0: that it began with."""
        return outcome.model_id(self.run, number) if number else self.begins

    def models(self) -> list[ModelRecord]:
        """The models that its rounds left, oldest first."""
        return [
            ModelRecord(self.model_id(number), self.model_id(number - 1), self.id, self.committed(number))
            for number in range(1, self.run.iteration + 1)
        ]

    def number_of(self, model_id: str) -> int | None:
        """The round that left a model; None: none of this session."""
        return next((n for n in range(1, self.run.iteration + 1) if self.model_id(n) == model_id), None)

    def round_id(self, number: int) -> int:
        """The number that round `number` of this session has among those of all sessions."""
        before, first = next(leg for leg in reversed(self._legs) if leg[0] < number)
        return first + number - before - 1

    def last_round(self) -> int:
        """The number of its last round, that which goes on or failed included."""
        done = self.run.iteration
        return self.round_id(done if done and self._beyond(done) is None else done + 1)

    def rounds(self) -> list[RoundRecord]:
        """Its rounds, oldest first."""
        done = self.run.iteration
        seconds = self.train_seconds()
        asked = len(self.run.nodes)
        rows = []
        for number in range(1, done + 2):
            status = "Finished" if number <= done else self._beyond(done)
            if status is None:
                continue
            took = seconds.get(number, {})
            left = self.model_id(number) if number <= done else None
            begins, number_id = self.model_id(number - 1), str(self.round_id(number))
            slowest = max(took.values(), default=0.0)
            rows.append(RoundRecord(number_id, status, self.config, begins, left, asked, len(took), slowest))
        return rows

    def validations(self) -> list[ValidationRecord]:
        """What its nodes reported of its models, oldest first."""
        return [report for number in range(1, self.run.iteration + 1) for report in self.reports(number)]

    def reports(self, number: int) -> list[ValidationRecord]:
        """What the nodes reported of the model of round `number`."""
        known = self._reports.get(number)
        if known is None:
            model, at = self.model_id(number), self.committed(number)
            known = [
                ValidationRecord(model, self.id, node, json.dumps(report), at)
                for node, report in sorted(self._validated(number).items())
            ]
            if self.over or number < self.run.iteration:
                self._reports[number] = known
        return known

    def go_on(self, rounds: int, first: int, session: Session | None) -> None:
        """Do so many rounds more, the first of which has the number `first`."""
        done = self.run.iteration
        self.run.resume(done + rounds, session)
        self.session = session or self.session
        self._legs.append((done, first))
        self.config["rounds"] = done + rounds

    def _beyond(self, done: int) -> str | None:
        """What the round after the last complete one is; None: there is none."""
        if not self.over:
            return "Pending" if done < (self.run.iterations or 0) else None
        return None if self.status == "Finished" else self.status

    def _note(self, run: Run) -> None:
        """Rounds that are complete now and were not before are so since now."""
        for number in range(1, run.iteration + 1):
            self._committed.setdefault(number, now())

    def train_seconds(self) -> dict[int, dict[str, float]]:
        """Round → node → what its `train` took, of those whose update came."""
        found: dict[int, dict[str, float]] = {}
        if "train_seconds" in self.run.metrics.names():
            for row in self.run.metrics.rows("train_seconds"):
                found.setdefault(row.iteration + 1, {})[row.node] = row.value
        return found

    def _validated(self, number: int) -> dict[str, Any]:
        """Node → its report: as the program wrote it, else its numbers."""
        try:
            # as `run.results` does, without its notice that the run goes on: who reads JSON has no run to wait for
            whole = self.run._history.select("validation", number - 1, False)
        except MissingTag:
            whole = {}
        if whole:
            return whole
        rows = outcome.validations(self.run)
        return {row["node"]: row["metrics"] for row in rows if row["round"] == number}
