"""Calls the entry point `train` in the node's copy of the package."""

from manta_nb.compat.fedn.rounds.participant import Participant
from manta_nb.sdk.task import Task


class Train(Task):
    """Makes an update of the model from the node's own data."""

    def run(self) -> None:
        """Once a round."""
        known = self.world.globals
        selected = known.get("selected")
        if selected is None or self.world.node_id in selected:
            own = Participant(self, known["fedn"], lambda: known["package"])
            self.world.results.add("update", own.train(known["model"], known.get("client_settings", {})))
