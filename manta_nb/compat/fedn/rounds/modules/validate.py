"""Calls the entry point `validate` in the node's copy of the package, on the model of this round."""

from manta_nb.compat.fedn.rounds.participant import Participant
from manta_nb.sdk.task import Task


class Validate(Task):
    """Measures the model on the node's own data."""

    def run(self) -> None:
        """Once a round."""
        known = self.world.globals
        own = Participant(self, known["fedn"], lambda: known["package"])
        self.world.results.add("validation", own.validate(known["model"]))
