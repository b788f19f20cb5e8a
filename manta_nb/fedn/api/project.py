"""`Project`: what FEDn's server knows: packages, models and sessions, and the nodes that do the work."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from manta_nb.compat.fedn.models.files import Model, load_seed, save_model
from manta_nb.compat.fedn.models.helpernames import find_helper
from manta_nb.compat.fedn.package.archive import read_package
from manta_nb.errors import PackageError, StoreError, UsageError
from manta_nb.fedn import outcome
from manta_nb.fedn.api.asked import Asked, Refused
from manta_nb.fedn.api.records import ModelRecord, PackageRecord, now
from manta_nb.fedn.api.training import Training
from manta_nb.fedn.launching import launch
from manta_nb.fedn.preparing import Wishes, prepare
from manta_nb.sdk.names import shorten
from manta_nb.session.foreign import PathLike, open_nodes
from manta_nb.session.node import Node
from manta_nb.session.session import Session

__all__ = ["Project"]


class Project:
    """The state behind an `APIClient`.

    Args:
        wishes: what all sessions have in common.
        session: the nodes; None: those of the notebook, or new ones, when they are needed.
        say: told in single lines what goes on.
    """

    def __init__(self, wishes: Wishes, session: Session | None, say: Callable[[str], None]) -> None:
        self.wishes = wishes
        self.session = session
        self.began = now()
        self._given = session is not None
        self._say = say
        #: oldest first; the last one is active
        self.packages: list[PackageRecord] = []
        self.trainings: list[Training] = []
        #: models that were set: record, the model, and the helper that read it
        self._set: dict[str, tuple[ModelRecord, Model, str]] = {}
        #: packages whose notes were told
        self._told: set[str] = set()

    # --- nodes -----------------------------------------------------------------------------------------------------

    def open(self) -> Session:
        """The session with the nodes; they start now where there are none."""
        if self.session is None or (self.session.closed and not self._given):
            self.session = open_nodes(self.wishes, self._say)
        return self.session

    def nodes(self) -> list[Node]:
        """The nodes as they are now."""
        return list(self.open().nodes.values())

    # --- packages and models ------------------------------------------------------------------------------------

    @property
    def package(self) -> PackageRecord | None:
        """The package that is active."""
        return self.packages[-1] if self.packages else None

    def set_package(
        self, path: PathLike, helper: str | None, name: str | None, description: str | None
    ) -> None:
        """Take in a package, which is active from now on."""
        if self.running is not None:
            raise Refused("Reducer is in instructing or monitoring state. Cannot set compute package.")
        place = Path(path).expanduser()
        package = read_package(place)
        if place.is_dir():
            data = gzip.compress(package.content, mtime=0)
            package = replace(package, checksum=hashlib.sha256(data).hexdigest())
            file_name = f"{package.name}.tgz"
        else:
            data, file_name = place.read_bytes(), place.name
        chosen = helper or find_helper(package.sources())
        stored = f"{uuid4()}{Path(file_name).suffix}"
        self.packages.append(
            PackageRecord(str(uuid4()), package, data, file_name, stored, chosen, now(), name, description)
        )

    def set_model(self, path: PathLike, helper: str) -> None:
        """Take in a model from a file; the next session begins with it."""
        place = Path(path).expanduser()
        try:
            arrays = load_seed(place, helper)
        except PackageError as error:
            if not place.is_file():
                raise
            raise Refused(f"Failed to add initial model. {error}") from error
        record = ModelRecord(str(uuid4()), None, None, now())
        self._set[record.id] = record, arrays, helper

    def models(self) -> list[ModelRecord]:
        """All models, oldest first."""
        known = [record for record, *_ in self._set.values()]
        known += [model for training in self.trainings for model in training.models()]
        return sorted(known, key=lambda model: model.committed)

    def model(self, model_id: object) -> ModelRecord | None:
        """A model by its id, also by that which its run knows the model by that it began with."""
        wanted = str(model_id)
        for training in self.trainings:
            if wanted == outcome.model_id(training.run, 0):
                wanted = training.begins
        return next((model for model in self.models() if model.id == wanted), None)

    def trail(self, model: ModelRecord) -> list[ModelRecord]:
        """A model, its parent, the parent of that, and so on to the one that was set."""
        known = {each.id: each for each in self.models()}
        line = [model]
        while (parent := known.get(line[-1].parent or "")) is not None:
            line.append(parent)
        return line

    def arrays(self, model: ModelRecord) -> Model:
        """The model itself.

        Raises:
            MantaError: it is kept no more.
        """
        if model.id in self._set:
            return self._set[model.id][1]
        training, number = self._source(model)
        arrays: Model = outcome.model_of(training.run, number)
        return arrays

    def save(self, model: ModelRecord, path: PathLike) -> None:
        """Write a model to a file, as the helper of its package does.

        Raises:
            MantaError: it is kept no more.
        """
        if model.id not in self._set:
            training, number = self._source(model)
            outcome.save_model(training.run, Path(path).expanduser(), number)
            return
        _, arrays, helper = self._set[model.id]
        place = Path(path).expanduser()
        place.parent.mkdir(parents=True, exist_ok=True)
        save_model(arrays, place, helper)

    def _source(self, model: ModelRecord) -> tuple[Training, int | None]:
        """The session, and the round of it, that a model comes from."""
        training = next(each for each in self.trainings if each.id == model.session_id)
        return training, training.number_of(model.id)

    # --- sessions ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> Training | None:
        """The session that goes on."""
        return next((training for training in self.trainings if not training.over), None)

    def training(self, key: object) -> Training | None:
        """A session by its id; by its name, where no id is so, the latest."""
        text = str(key)
        newest = self.trainings[::-1]
        by_id = next((training for training in newest if training.id == text), None)
        return by_id or next((training for training in newest if text and training.name == text), None)

    def next_round(self) -> int:
        """The number that the next round gets."""
        return max((training.last_round() for training in self.trainings), default=0) + 1

    def start(self, asked: Asked) -> Training:
        """Start a session.

        Raises:
            Refused: as FEDn refuses. UsageError, PackageError: an option cannot be, a package or model not be used.
        """
        package, begins = self._checked(asked)
        session_id = str(asked.session_id) if asked.session_id else str(uuid4())
        config = asked.config(session_id, package, begins.id, self.wishes)
        wishes = asked.wishes(self.wishes, package.helper)
        try:
            model = self.arrays(begins)
        except (StoreError, UsageError) as error:
            raise Refused(f"Model {begins.id} is kept no more: {error}") from error
        prepared = prepare(package.package, wishes, self._say, model)
        online = [node for node in self.nodes() if node.state not in ("lost", "closed")]
        if len(online) < config["clients_required"]:
            raise Refused("Not enough clients available to start session.")
        if package.id not in self._told:
            self._told.add(package.id)
            for note in prepared.notes:
                self._say(note)
        session = self.open()
        first = self.next_round()
        run = launch(session, prepared, wishes)
        training = Training(run, session, config, asked.name or "", begins.id, first)
        settings = prepared.settings
        training.further = {
            "aggregator_kwargs": dict(settings.aggregator_kwargs) or None,
            "server_functions": settings.server_functions or None,
        }
        self.trainings.append(training)
        _show(training)
        return training

    def go_on(self, training: Training, rounds: int) -> None:
        """Let a session do so many rounds more."""
        if self.running is not None:
            raise Refused("A session is already running.")
        if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
            raise UsageError(f"rounds must be a whole number ≥ 1, got {shorten(repr(rounds), 40)}")
        first, session = self.next_round(), self.open()
        training.go_on(rounds, first, None if session is training.session else session)
        _show(training)

    def _checked(self, asked: Asked) -> tuple[PackageRecord, ModelRecord]:
        """The package and the model of a session, or why there cannot be one."""
        if asked.session_id and any(each.id == str(asked.session_id) for each in self.trainings):
            raise Refused("Session already exists.")
        if self.running is not None:
            raise Refused("A session is already running.")
        if self.package is None:
            raise Refused("No compute package set. Set compute package before starting session.")
        known = self.models()
        if not known:
            raise Refused("No initial model set. Set initial model before starting session.")
        begins = self.model(asked.model_id) if asked.model_id else known[-1]
        if begins is None:
            raise Refused(f"Model {shorten(str(asked.model_id), 60)} not found.")
        return self.package, begins


def _show(training: Training) -> None:
    """In a notebook the run is shown, and moves, in the cell that started it."""
    display = training.run.display
    if display is not None:
        display.show(training.run)
