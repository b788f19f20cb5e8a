"""The class that server functions derive from."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ServerFunctions", "ServerFunctionsBase"]

_Model = list[np.ndarray[Any, Any]]


class ServerFunctionsBase:
    """Override any of these; what is not overridden is done as without server functions."""

    def client_selection(self, client_ids: list[str]) -> list[str] | None:
        """The clients that take part in the next round."""

    def client_settings(self, global_model: _Model) -> dict[str, Any] | None:
        """What the clients read by `load_metadata` in the next round."""

    def aggregate(
        self, previous_global: _Model, client_updates: dict[str, tuple[_Model, dict[str, Any]]]
    ) -> _Model | None:
        """The model made of the updates of all clients."""

    def incremental_aggregate(
        self, client_id: str, model: _Model, client_metadata: dict[str, Any], previous_global: _Model
    ) -> None:
        """Take in the update of one client."""

    def get_incremental_aggregate_model(self) -> _Model | None:
        """The model made of the updates taken in since the last call."""


class ServerFunctions(ServerFunctionsBase):
    """Server functions that change nothing."""
