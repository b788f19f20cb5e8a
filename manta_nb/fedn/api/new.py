"""The names of FEDn's `APIClient` from 0.9 on, with its JSON."""

from __future__ import annotations

from typing import Any

from manta_nb.fedn.api import newshapes
from manta_nb.fedn.api.core import Core
from manta_nb.fedn.api.shapes import Json, http_date, matching, page
from manta_nb.session.foreign import PathLike

__all__ = ["NewHistory", "NewNetwork", "NewSetup"]

#: how models are read where no package says so: by the suffix of the file
_HELPERS = {".bin": "binaryhelper"}


class NewSetup(Core):
    """Packages and models."""

    def set_active_package(
        self,
        path: PathLike,
        helper: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> Json:
        """Make an archive (or a folder) the package that the next sessions run; see `set_package`."""
        self._speaks(new=True)
        return self._take_package(path, helper, name, description)

    def get_active_package(self) -> Json:
        """The package that the next session runs."""
        record = self._project.package
        return newshapes.missing("active") if record is None else newshapes.package(record, True)

    def get_packages(self, n_max: int | None = None) -> Json:
        """All packages that were set, the latest first."""
        active = self._project.package
        known = self._project.packages[::-1]
        return page([newshapes.package(record, record is active) for record in known], n_max)

    def get_packages_count(self) -> int:
        """How many there are."""
        return len(self._project.packages)

    def set_active_model(self, path: PathLike) -> Json:
        """Make a file the model that the next session begins with; see `set_initial_model`.

        Where no package is set, a file `.bin` is read by the binaryhelper, any other one by the numpyhelper.
        """
        self._speaks(new=True)
        package = self._project.package
        suffix = str(path)[-4:].lower()
        return self._take_model(path, package.helper if package else _HELPERS.get(suffix, "numpyhelper"))

    def get_active_model(self) -> Json:
        """The latest model."""
        models = self.get_models(n_max=1)
        return models["result"][0] if models["result"] else models

    def get_model(self, id: str) -> Json:
        """One model."""
        model = self._project.model(id)
        return newshapes.missing(id) if model is None else newshapes.model(model)

    def get_models(self, session_id: str | None = None, n_max: int | None = None) -> Json:
        """All models, or those of a session, the latest first."""
        documents = [newshapes.model(model) for model in self._project.models()[::-1]]
        return _found(documents, n_max, session_id=self._session_id(session_id))

    def get_models_count(self) -> int:
        """How many there are."""
        return len(self._project.models())


class NewNetwork(Core):
    """Nodes and the combiner."""

    def get_client(self, id: str) -> Json:
        """One node."""
        found = [each for each in self.get_clients()["result"] if each["id"] == id]
        return found[0] if found else newshapes.missing(id)

    def get_clients(self, n_max: int | None = None) -> Json:
        """The nodes; they start now where there are none."""
        seen = self._seen()
        return page([newshapes.node(node, seen) for node in self._project.nodes()], n_max)

    def get_active_clients(self, combiner_id: str | None = None, n_max: int | None = None) -> Json:
        """The nodes that are online."""
        documents = self.get_clients()["result"]
        return _found(documents, n_max, combiner=combiner_id, status="online")

    def get_clients_count(self) -> int:
        """How many there are."""
        return len(self._project.nodes())

    def get_combiners(self, n_max: int | None = None) -> Json:
        """The combiner."""
        return page([newshapes.combiner(http_date(self._project.began))], n_max)

    def get_combiners_count(self) -> int:
        """One."""
        return len(self.get_combiners()["result"])


class NewHistory(Core):
    """Sessions, rounds, and what came of them."""

    def get_sessions(self, n_max: int | None = None) -> Json:
        """All sessions, the latest first."""
        return page([newshapes.session(training) for training in self._project.trainings[::-1]], n_max)

    def get_sessions_count(self) -> int:
        """How many there are."""
        return len(self._project.trainings)

    def get_rounds(self, n_max: int | None = None) -> Json:
        """All rounds, the latest first."""
        return page([newshapes.round_(record) for record in self._rounds()[::-1]], n_max)

    def get_rounds_count(self) -> int:
        """How many there are."""
        return len(self._rounds())

    def get_status(self, id: str) -> Json:
        """One event."""
        found = [record for record in self._events() if record.id == id]
        return newshapes.status(found[0]) if found else newshapes.missing(id)

    def get_statuses(
        self,
        session_id: str | None = None,
        event_type: str | None = None,
        sender_name: str | None = None,
        sender_role: str | None = None,
        n_max: int | None = None,
    ) -> Json:
        """What happened, newest first."""
        wanted = {"type": event_type, "sender.name": sender_name, "sender.role": sender_role}
        documents = [newshapes.status(record) for record in self._events()]
        return _found(documents, n_max, session_id=self._session_id(session_id), **wanted)

    def get_statuses_count(self) -> int:
        """How many events there are."""
        return len(self._events())

    def get_validation(self, id: str) -> Json:
        """One validation."""
        found = [record for record in self._validations() if record.id == id]
        return newshapes.validation(found[0]) if found else newshapes.missing(id)

    def get_validations(
        self,
        session_id: str | None = None,
        model_id: str | None = None,
        correlation_id: str | None = None,
        sender_name: str | None = None,
        sender_role: str | None = None,
        receiver_name: str | None = None,
        receiver_role: str | None = None,
        n_max: int | None = None,
    ) -> Json:
        """What nodes reported of models, newest first; `data` is JSON in a text."""
        wanted = {
            "session_id": self._session_id(session_id),
            "model_id": model_id,
            "correlation_id": correlation_id,
            "sender.name": sender_name,
            "sender.role": sender_role,
            "receiver.name": receiver_name,
            "receiver.role": receiver_role,
        }
        documents = [newshapes.validation(record) for record in self._validations()[::-1]]
        return _found(documents, n_max, **wanted)

    def get_validations_count(self) -> int:
        """How many there are."""
        return len(self._validations())


def _found(documents: list[Json], n_max: int | None, **wanted: Any) -> Json:
    """Those that have these values; None is not asked for."""
    return page(matching(documents, wanted), n_max)
