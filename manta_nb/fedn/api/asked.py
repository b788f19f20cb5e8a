"""What `start_session` was asked for, and how FEDn says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.fedn.api.records import NOT_LIMITED, PackageRecord
from manta_nb.fedn.preparing import Wishes
from manta_nb.sdk.names import shorten

__all__ = ["Asked", "Refused"]

_LONGEST_NAME = 60


class Refused(Exception):
    """FEDn would answer `{"success": False, "message": …}`, with this as its message."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The arguments of `APIClient.start_session`, which says what they mean."""

    session_id: str | None = None
    name: str | None = None
    aggregator: str = "fedavg"
    aggregator_kwargs: Mapping[str, Any] | None = None
    model_id: str | None = None
    round_timeout: float | None = None
    rounds: int = 5
    round_buffer_size: int = -1
    delete_models: bool = True
    validate: bool | str = True
    helper: str | None = None
    min_clients: int | None = None
    requested_clients: int = 8
    server_functions: object = None

    @property
    def run_name(self) -> str | None:
        """What the run is called; None: as the package."""
        text = str(self.name or self.session_id or "")
        return shorten("".join(filter(str.isprintable, text)).strip(), _LONGEST_NAME) or None

    @property
    def validates(self) -> bool:
        """Whether models are validated; also the texts "true" and "false" say so."""
        return self.validate.lower() == "true" if isinstance(self.validate, str) else bool(self.validate)

    def needed(self, default: int) -> int:
        """Nodes that have to be there.

        Raises:
            UsageError: `min_clients` is no whole number.
        """
        wanted: object = default if self.min_clients is None else self.min_clients
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
            raise UsageError(f"min_clients must be a whole number, got {shorten(repr(wanted), 40)}")
        return wanted

    def config(
        self, session_id: str, package: PackageRecord, model_id: str, wishes: Wishes
    ) -> dict[str, Any]:
        """The options of the session, as FEDn 0.8 answers with them."""
        limit = wishes.timeout if self.round_timeout is None else self.round_timeout
        return {
            "session_id": session_id,
            "aggregator": self.aggregator,
            "round_timeout": NOT_LIMITED if limit is None else limit,
            "buffer_size": self.round_buffer_size,
            "model_id": model_id,
            "rounds": self.rounds,
            "delete_models_storage": self.delete_models,
            "clients_required": self.needed(wishes.min_clients),
            "clients_requested": self.requested_clients,
            "task": "",
            "validate": self.validates,
            "helper_type": self.helper or package.helper,
        }

    def wishes(self, common: Wishes, helper: str) -> Wishes:
        """What the run is asked for, with `common` for what no session says."""
        limit = common.timeout if self.round_timeout is None else self.round_timeout
        return replace(
            common,
            rounds=self.rounds,
            helper=helper,
            aggregator=self.aggregator,
            aggregator_kwargs=self.aggregator_kwargs,
            server_functions=self.server_functions,
            # as in FEDn: so many have to be there in the beginning; a round goes on with the updates that come
            min_clients=1,
            timeout=limit,
            validate=self.validates,
            name=self.run_name,
        )
