"""Runs the node's script to its end without any merge, as its baseline."""

from manta_nb.compat.swarm_learning.nodes.participant import Participant
from manta_nb.sdk.task import Task


class Alone(Task):
    """The whole training of a node by itself."""

    def run(self) -> None:
        """Once."""
        known = self.world.globals
        Participant(self, known["swarm_learning"], lambda: known["program"]).alone()
