"""Makes one model of what the nodes have checked in."""

from manta_nb.compat.swarm_learning.rounds.merging import Merger
from manta_nb.sdk.task import Task


class Merge(Task):
    """A merge of the weights."""

    def run(self) -> None:
        """Once a merge."""
        if Merger(self).merge():
            self.world.stop_swarm()
