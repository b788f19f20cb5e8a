"""What FEDn's combiner does between `train` and `validate`: choose nodes, hand out settings, combine updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from manta_nb.compat.fedn.models.likeness import Model
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.server.aggregators import combine
from manta_nb.compat.fedn.server.functions import LoadedFunctions, load_functions, state
from manta_nb.errors import PackageError

__all__ = ["Server"]


class Server:
    """One turn of the node that combines.

    Args:
        settings: what the run knows of the package, see `Settings`.
        kept: what `state()` returned the turn before; None in the first one.
    """

    def __init__(self, settings: Mapping[str, Any], kept: Mapping[str, Any] | None) -> None:
        self._settings = Settings.of(settings)
        self._kept: Mapping[str, Any] = kept or {}
        self._aggregator = self._kept.get("aggregator")
        text = self._settings.server_functions
        self._functions: LoadedFunctions | None = (
            load_functions(text, self._kept.get("functions")) if text else None
        )

    def select(self, node_ids: Sequence[str]) -> list[str]:
        """The nodes that train in this round."""
        return list(node_ids) if self._functions is None else self._functions.select(node_ids)

    def settings(self, model: Model) -> dict[str, Any]:
        """What the programs read by `load_metadata(in_model_path)`."""
        return {} if self._functions is None else self._functions.settings(model)

    def combine(self, model: Model, updates: Mapping[str, Mapping[str, Any]]) -> Model:
        """The next model.

        Args:
            model: the one of the round before.
            updates: node → `{"model", "num_examples", "metadata"}`, as `Participant.train` returns it.

        Raises:
            PackageError: too few nodes have sent an update, or they cannot be combined.
        """
        needed = self._settings.min_clients
        if len(updates) < needed:
            raise PackageError(
                f"{len(updates)} updates came in this round, and min_clients asks for {needed}"
            )
        if self._functions is not None:
            given = {node_id: (update["model"], update["metadata"]) for node_id, update in updates.items()}
            combined = self._functions.combine(model, given)
            if combined is not None:
                return combined
        weighted = {node_id: (update["model"], update["num_examples"]) for node_id, update in updates.items()}
        name, options = self._settings.aggregator, self._settings.aggregator_kwargs
        combined, self._aggregator = combine(name, options, model, weighted, self._aggregator)
        return combined

    def state(self) -> dict[str, Any]:
        """What the next turn begins with: committed with the round, and gone with one that is given up."""
        functions = {} if self._functions is None else state(self._functions.instance)
        return {"aggregator": self._aggregator, "functions": functions}
