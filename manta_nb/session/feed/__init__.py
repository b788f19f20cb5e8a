"""The kernel's side of the live run monitor: a run as messages, without Jupyter.

* `RunFeed`: makes the messages (`Message`) that `PROTOCOL` version 1 names, and answers what a browser asks;
* `Look`, `ProcessLook`: what is seen of the nodes' processes;
* `Buttons`: what a person may do now.
"""

from manta_nb.session.feed.feed import MANY, RunFeed
from manta_nb.session.feed.look import Buttons, Look, NodeLook, NoLook
from manta_nb.session.feed.message import Message
from manta_nb.session.feed.processes import ProcessLook

__all__ = ["MANY", "Buttons", "Look", "Message", "NoLook", "NodeLook", "ProcessLook", "RunFeed"]
