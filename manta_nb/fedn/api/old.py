"""The names of FEDn's `APIClient` up to 0.8, with its JSON."""

from __future__ import annotations

from typing import Any

from manta_nb.fedn.api import oldshapes
from manta_nb.fedn.api.core import Core
from manta_nb.fedn.api.shapes import Json, http_date, known_filters, matching, page
from manta_nb.session.foreign import PathLike

__all__ = ["OldLists", "OldSetup"]


class OldSetup(Core):
    """Setting packages and models, and asking for those."""

    def set_package(
        self,
        path: PathLike,
        helper: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> Json:
        """Make an archive (or a folder) the package that the next sessions run.

        `helper`: how models are read and written; None: what the package's code names.

        Raises:
            PackageError: there is no such file, or it is no package.
        """
        self._speaks(new=False)
        return self._take_package(path, helper, name, description)

    def list_compute_packages(self) -> Json:
        """All packages that were set, the latest first."""
        return page([oldshapes.package(record) for record in self._project.packages[::-1]])

    def set_initial_model(self, path: PathLike) -> Json:
        """Make a file the model that the next session begins with; the package says how it is read.

        Raises:
            PackageError: there is no such file.
        """
        self._speaks(new=False)
        package = self._project.package
        if package is None:
            return self._refuse(
                "Failed to add initial model. Set compute package first: its helper reads the model."
            )
        return self._take_model(path, package.helper)

    def get_initial_model(self) -> Json:
        """The id of the first model there was."""
        known = self._project.models()
        return {"model_id": known[0].id if known else None}

    def get_latest_model(self) -> Json:
        """The id of the latest model."""
        known = self._project.models()
        return {"model_id": known[-1].id} if known else self._refuse("No initial model set.")


class OldLists(Core):
    """Lists of everything."""

    def list_models(self, session_id: str | None = None) -> Json:
        """All models, or those of a session, the latest first."""
        documents = [oldshapes.model(model) for model in self._project.models()[::-1]]
        return page(matching(documents, {"session_id": self._session_id(session_id)}))

    def list_clients(self) -> Json:
        """The nodes; they start now where there are none."""
        seen = self._seen()
        return page([oldshapes.node(node, seen) for node in self._project.nodes()])

    def list_combiners(self) -> Json:
        """The combiner."""
        return page([{"name": "combiner", "updated_at": http_date(self._project.began)}])

    def list_sessions(self) -> Json:
        """The options of all sessions, oldest first."""
        return page([dict(training.config) for training in self._project.trainings])

    def list_rounds(self) -> Json:
        """All rounds by their ids, which count through all sessions."""
        return oldshapes.rounds(self._rounds())

    def list_validations(self, **filters: Any) -> Json:
        """What nodes reported of models, by id, oldest first; `data` is JSON in a text.

        `filters`: `modelId`, `correlationId`, `sessionId`, `**{"sender.name": "node_0"}`.
        """
        documents = [oldshapes.validation_document(record) for record in self._validations()]
        found = matching(documents, known_filters("list_validations", filters, oldshapes.VALIDATION_FILTERS))
        return {document["id"]: oldshapes.validation(document) for document in found}

    def get_events(self, **filters: Any) -> Json:
        """What happened, newest first.

        `filters`: `type`, `correlationId`, `sessionId`, `**{"sender.name": "node_0"}`; `limit` and `skip`.
        """
        limit, skip = (int(filters.pop(name, 0) or 0) for name in ("limit", "skip"))
        documents = [oldshapes.event(record) for record in self._events()]
        found = matching(documents, known_filters("get_events", filters, oldshapes.EVENT_FILTERS))
        return {**page(found), "result": found[skip : skip + limit if limit else None]}
