"""The names that both generations of FEDn have; how they answer is decided by the generation."""

from __future__ import annotations

from pathlib import Path

from manta_nb.errors import MantaError
from manta_nb.fedn.api import newshapes, oldshapes
from manta_nb.fedn.api.core import Core
from manta_nb.fedn.api.records import COMBINER
from manta_nb.fedn.api.shapes import Json, http_date
from manta_nb.session.foreign import PathLike

__all__ = ["Common"]


class Common(Core):
    """Packages, models, rounds, sessions and the network, one at a time."""

    #: what was given as the address of a server; nobody contacts it
    host: str | None
    port: int | None

    def get_package(self, id: str | None = None) -> Json:
        """The active package, or one by its id."""
        if id is None:
            record = self._project.package
            return self._refuse("No compute package found.") if record is None else oldshapes.package(record)
        found = next((each for each in self._project.packages if each.id == id), None)
        active = found is self._project.package
        return newshapes.missing(id) if found is None else newshapes.package(found, active)

    def get_package_checksum(self) -> Json:
        """The sha256 of the archive."""
        record = self._project.package
        if record is None:
            return self._refuse("No compute package found.")
        return {"checksum": record.package.checksum}

    def download_package(self, path: PathLike) -> Json:
        """Write the archive of the active package to a file."""
        record = self._project.package
        if record is None:
            return self._refuse("Failed to download package. No compute package found.")
        Path(path).expanduser().write_bytes(record.data)
        return self._answer("Package downloaded successfully.")

    def download_model(self, id: str, path: PathLike) -> Json:
        """Write a model to a file, as its package reads it."""
        model = self._project.model(id)
        if model is None:
            return self._refuse("Failed to download model. There is no model of that id.")
        try:
            self._project.save(model, path)
        except MantaError as error:
            return self._refuse(f"Failed to download model. {error}")
        return self._answer("Model downloaded successfully.")

    def get_model_trail(
        self,
        id: str | None = None,
        include_self: bool = True,
        reverse: bool = True,
        n_max: int | None = None,
    ) -> Json | list[Json]:
        """The models in order.

        As of 0.8, without an id: all models, oldest first, as id → time. From 0.9 on: the latest model (or that
        with `id`), its parent, the parent of that, …, as a list.

        Args:
            id: where the trail ends.
            include_self: with that model.
            reverse: oldest first.
            n_max: so many of the latest of them.
        """
        known = self._project.models()
        if id is None and not self._is_new:
            return oldshapes.trail(known) if known else self._refuse("No model trail available.")
        if id is None and not known:
            return {"count": 0, "result": []}
        model = known[-1] if id is None else self._project.model(id)
        if model is None:
            return newshapes.missing(id)
        line = self._project.trail(model)[0 if include_self else 1 :][: n_max or None]
        return [newshapes.model(each) for each in (line[::-1] if reverse else line)]

    def get_round(self, id: str | int) -> Json:
        """One round; rounds count from 1 through all sessions."""
        record = self._round(id)
        if self._is_new:
            return newshapes.missing(id) if record is None else newshapes.round_(record)
        return self._refuse("Round not found.") if record is None else oldshapes.round_(record)

    def get_session(self, id: str) -> Json:
        """One session, by its id or name."""
        training = self._project.training(id)
        if self._is_new:
            return newshapes.missing(id) if training is None else newshapes.session(training)
        if training is None:
            return self._refuse(f"Session {id} not found.")
        return oldshapes.session(training)

    def get_combiner(self, id: str = COMBINER) -> Json:
        """The combiner."""
        since = http_date(self._project.began)
        if self._is_new:
            return newshapes.combiner(since) if id == COMBINER else newshapes.missing(id)
        if id != COMBINER:
            return self._refuse(f"Combiner {id} not found.")
        return {COMBINER: oldshapes.combiner(since)}

    def get_client_config(self, checksum: bool = True) -> Json:
        """What FEDn's clients are configured with; the nodes here need nothing of it."""
        config: Json = {
            "network_id": "manta-nb",
            "discover_host": self.host or "localhost",
            "discover_port": self.port or 8092,
        }
        return config | (self.get_package_checksum() if checksum and self._project.package else {})

    def get_controller_status(self) -> Json:
        """Whether a session goes on: `monitoring`, or `idle`."""
        return {"state": "idle" if self._project.running is None else "monitoring"}
