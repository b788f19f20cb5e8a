"""Starting sessions, going on with them, ending them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manta_nb.fedn.api.asked import Asked, Refused
from manta_nb.fedn.api.core import Core
from manta_nb.fedn.api.shapes import Json
from manta_nb.fedn.api.training import Training

__all__ = ["Sessions"]


class Sessions(Core):
    """One session after another."""

    def start_session(
        self,
        session_id: str | None = None,
        aggregator: str = "fedavg",
        *,
        id: str | None = None,
        name: str | None = None,
        aggregator_kwargs: Mapping[str, Any] | None = None,
        model_id: str | None = None,
        round_timeout: float | None = None,
        rounds: int = 5,
        round_buffer_size: int = -1,
        delete_models: bool = True,
        validate: bool | str = True,
        helper: str | None = None,
        min_clients: int | None = None,
        requested_clients: int = 8,
        server_functions: object = None,
    ) -> Json:
        """Start rounds on the nodes, and return at once: with the options, or with why not.

        Args:
            session_id: `id` from FEDn 0.9 on; None: a new one, which the answer has.
            aggregator: "fedavg" or "fedopt", with `aggregator_kwargs`.
            name: what the session is called besides.
            model_id: the model to begin with; None: the latest.
            round_timeout: seconds that an entry point may take; None: as long as it likes. Who fails is not
                waited for.
            rounds: how many.
            validate: whether the nodes validate the model of each round.
            min_clients: nodes that have to be there.
            server_functions: a class `ServerFunctions`, or its source text.
            round_buffer_size: is told again, and changes nothing: a round takes what all nodes send. So are
                `delete_models`, `requested_clients` and `helper`: a package has one.

        Raises:
            UsageError: an option cannot be. PackageError: the package cannot be used.

        Example:
            >>> client.start_session(session_id="first", rounds=3)["success"]
            True
        """
        asked = Asked(
            session_id=id if session_id is None else session_id,
            name=name,
            aggregator=aggregator,
            aggregator_kwargs=aggregator_kwargs,
            model_id=model_id,
            round_timeout=round_timeout,
            rounds=rounds,
            round_buffer_size=round_buffer_size,
            delete_models=delete_models,
            validate=validate,
            helper=helper,
            min_clients=min_clients,
            requested_clients=requested_clients,
            server_functions=server_functions,
        )
        try:
            training = self._project.start(asked)
        except Refused as why:
            return self._refuse(why)
        return self._started(training)

    def session_is_finished(self, id: str) -> bool:
        """Whether it is over: its models and their validations are complete. One that failed is over, too.

        Raises:
            UsageError: there is no such session.
        """
        training = self._training(id)
        self._tell(training)
        return training.over

    def get_session_status(self, id: str) -> str:
        """`Started`, `Finished`, `Terminated` or `Failed`."""
        training = self._project.training(id)
        if training is None:
            return "Could not retrieve session status."
        self._tell(training)
        return training.status

    def continue_session(self, session_id: str, rounds: int = 5, round_timeout: float | None = None) -> Json:
        """Go on with a session that is over, from its last model; `round_timeout` stays as it is.

        Raises:
            UsageError: there is no such session.
        """
        training = self._training(session_id)
        try:
            self._project.go_on(training, rounds)
        except Refused as why:
            return self._refuse(why)
        return self._answer("Session continued successfully.")

    def terminate_session(self, id: str) -> Json:
        """End a session now; the round under way is given up, and `continue_session` goes on from its last model.

        Raises:
            UsageError: there is no such session.
        """
        training = self._training(id)
        if training.over:
            return self._refuse(f"Session {training.id} is not running.")
        training.run.stop("the session was terminated")
        return self._answer("Session terminated.")

    def stop_session(self, id: str) -> Json:
        """The same as `terminate_session`."""
        return self.terminate_session(id)

    def _started(self, training: Training) -> Json:
        """What FEDn answers; from 0.9 on with a little more."""
        answer = self._answer("Session started successfully.")
        if self._is_new:
            return {**answer, "config": training.config | training.further, "session_id": training.id}
        return {**answer, "config": dict(training.config)}
