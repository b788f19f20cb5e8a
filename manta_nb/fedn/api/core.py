"""What the names of both generations stand on."""

from __future__ import annotations

from collections.abc import Callable

from manta_nb.errors import UsageError
from manta_nb.fedn.api.asked import Refused
from manta_nb.fedn.api.events import events_of
from manta_nb.fedn.api.project import Project
from manta_nb.fedn.api.records import EventRecord, RoundRecord, ValidationRecord, now
from manta_nb.fedn.api.shapes import Json, done, http_date, refused
from manta_nb.fedn.api.training import Training
from manta_nb.sdk.names import listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.foreign import PathLike

__all__ = ["Core"]


class Core:
    """A project, and which of FEDn's generations it is asked in."""

    def __init__(self, project: Project, new: bool | None, say: Callable[[str], None]) -> None:
        self._project = project
        self._say = say
        self._failed: set[str] = set()
        #: whether answers are those of FEDn ≥ 0.9; None: nothing tells yet
        self._new = new
        self._decided = new is not None
        #: why the latest call was refused; "" where it was not
        self._refusal = ""

    @property
    def _is_new(self) -> bool:
        """Whether a name that both generations have answers as from 0.9 on."""
        return bool(self._new)

    def _speaks(self, new: bool) -> None:
        """A name that only one generation has was used to set something up."""
        if not self._decided:
            self._new = new

    def _answer(self, message: str) -> Json:
        self._refusal = ""
        return done(message)

    def _refuse(self, why: Refused | str) -> Json:
        self._refusal = str(why)
        return refused(self._refusal)

    def _take_package(
        self, path: PathLike, helper: str | None, name: str | None, description: str | None
    ) -> Json:
        try:
            self._project.set_package(path, helper, name, description)
        except Refused as why:
            return self._refuse(why)
        return self._answer("Compute package set.")

    def _take_model(self, path: PathLike, helper: str) -> Json:
        try:
            self._project.set_model(path, helper)
        except Refused as why:
            return self._refuse(why)
        return self._answer("Initial model added successfully.")

    def _session_id(self, key: str | None) -> str | None:
        """The id of a session, which may be asked for by its name."""
        training = None if key is None else self._project.training(key)
        return key if training is None else training.id

    def _seen(self) -> str:
        return http_date(now())

    def _rounds(self) -> list[RoundRecord]:
        """All rounds, oldest first."""
        return [each for training in self._project.trainings for each in training.rounds()]

    def _round(self, key: object) -> RoundRecord | None:
        return next((each for each in self._rounds() if each.id == str(key)), None)

    def _validations(self) -> list[ValidationRecord]:
        """All validations, oldest first."""
        return [each for training in self._project.trainings for each in training.validations()]

    def _events(self) -> list[EventRecord]:
        """All events, newest first."""
        return [each for training in self._project.trainings for each in events_of(training)][::-1]

    def _tell(self, training: Training) -> None:
        """Say it, once, where a session has failed: FEDn's JSON has no place for why."""
        if training.over and training.status == "Failed" and training.run.run_id not in self._failed:
            self._failed.add(training.run.run_id)
            self._say(one_line(f"session {training.id} failed: {training.run.error}"))

    def _training(self, key: object) -> Training:
        """A session, which has to be there.

        Raises:
            UsageError: there is none; what the latest call was refused for is told, as it is the likely reason.
        """
        found = self._project.training(key)
        if found is None:
            there = listed([each.id for each in self._project.trainings]) or "none yet"
            why = f"; the last call was refused: {self._refusal}" if self._refusal else ""
            raise UsageError(one_line(f"no session {shorten(repr(key), 40)}, there are: {there}{why}"))
        return found
