"""Makes one model of the updates."""

from manta_nb.compat.fedn.server.server import Server
from manta_nb.sdk.task import Task


class Aggregate(Task):
    """Combines what the nodes have trained in this round."""

    def run(self) -> None:
        """Once a round."""
        known = self.world.globals
        server = Server(known["fedn"], known.get("server_state"))
        updates = self.world.results.select("update", iteration=self.world.iteration)
        known["model"] = server.combine(known["model"], updates)
        known["server_state"] = server.state()
        examples = sum(update["num_examples"] for update in updates.values())
        # of each round: how many nodes made its model, of how many examples
        known["history"] = [*known.get("history", []), [len(updates), examples]]
