"""Asks the ServerFunctions which nodes take part in the round, and with which settings."""

from manta_nb.compat.fedn.server.server import Server
from manta_nb.sdk.task import Task


class Coordinate(Task):
    """Writes what the round begins with."""

    def run(self) -> None:
        """Once a round."""
        known = self.world.globals
        server = Server(known["fedn"], known.get("server_state"))
        known["selected"] = server.select(known["nodes"])
        known["client_settings"] = server.settings(known["model"])
        known["server_state"] = server.state()
