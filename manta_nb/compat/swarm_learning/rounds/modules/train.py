"""Lets the node's script train until it checks in."""

from manta_nb.compat.swarm_learning.nodes.participant import Participant
from manta_nb.sdk.task import Task


class Train(Task):
    """One interval of a node's training."""

    def run(self) -> None:
        """Once a merge."""
        known = self.world.globals
        Participant(self, known["swarm_learning"], lambda: known["program"]).train()
