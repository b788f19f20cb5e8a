"""A page of JupyterLab, as far as a kernel sees it: it opens comms, on shells of their own where there are such."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

__all__ = ["Page"]

LONG = 30.0


class Page:
    """Speaks to a kernel that a test has started.

    `messages` are those on its data comm, in the order they came.
    """

    def __init__(self, client: BlockingKernelClient, subshells: bool = True) -> None:
        self._client = client
        self.token = uuid.uuid4().hex
        self.messages: list[dict[str, Any]] = []
        #: targets of the comms that the kernel opened
        self.opened: list[str] = []
        #: text that was printed, and errors
        self.printed = ""
        #: ids of the execute requests that have ended
        self.ended: list[str] = []
        self._comms: dict[str, str] = {}
        self._subshells = subshells
        self._asked = 0

    def run(self, text: str, cell_id: str = "") -> str:
        """Start a cell that has that id; the id of its request."""
        content = {
            "code": text,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": True,
            "stop_on_error": False,
        }
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell_id})
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def cell(self, text: str, cell_id: str = "") -> None:
        """Run a cell to its end."""
        request = self.run(text, cell_id)
        self.wait(lambda page: request in page.ended, 2 * LONG)

    def evaluate(self, expression: str) -> str:
        """What an expression gives that is evaluated silently."""
        content = {
            "code": "",
            "silent": True,
            "store_history": False,
            "user_expressions": {"it": expression},
            "allow_stdin": False,
        }
        message = self._client.session.msg("execute_request", content)
        self._client.shell_channel.send(message)
        while True:
            reply = self._client.get_shell_msg(timeout=LONG)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return str(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])

    def look(self) -> None:
        """Open both comms."""
        for target in ("manta_nb.data", "manta_nb.ctl"):
            content = {
                "comm_id": uuid.uuid4().hex,
                "target_name": target,
                "data": {"token": self.token, "protocol": 1},
            }
            self._comms[target] = content["comm_id"]
            self._send("comm_open", content, target)

    def say(self, **message: object) -> None:
        """Say something on the control comm."""
        content = {"comm_id": self._comms["manta_nb.ctl"], "data": message}
        self._send("comm_msg", content, "manta_nb.ctl")

    def ask(self, op: str, **question: object) -> dict[str, Any]:
        """Ask, and wait for the answer; `took` is how many seconds that was."""
        self._asked += 1
        ask, began = self._asked, time.monotonic()
        self.say(op=op, ask=ask, **question)
        found = self.wait(lambda page: page._answer(ask))
        return {**found, "took": time.monotonic() - began}

    def _answer(self, ask: int) -> dict[str, Any] | None:
        return next((each for each in self.messages if each["op"] == "answer" and each["ask"] == ask), None)

    def wait(self, condition: Callable[[Page], Any], timeout: float = LONG) -> Any:
        """Hear the kernel until the condition holds; returns what it gives."""
        deadline = time.monotonic() + timeout
        while not (found := condition(self)):
            left = deadline - time.monotonic()
            assert left > 0, f"never came: {self.messages[-3:]} {self.printed[-500:]}"
            self._hear(self._client.get_iopub_msg(timeout=left))
        return found

    @property
    def known(self) -> dict[str, Any]:
        """The sections as they are known now."""
        known: dict[str, Any] = {}
        for message in self.messages:
            if message["op"] == "state":
                known = {**({} if message["full"] else known), **message}
        return known

    def _hear(self, message: Mapping[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "comm_open":
            self.opened.append(content["target_name"])
        elif kind == "comm_msg" and content["comm_id"] == self._comms.get("manta_nb.data"):
            self.messages.append(content["data"])
        elif kind == "comm_close" and content["comm_id"] == self._comms.get("manta_nb.data"):
            self.messages.append({"op": "closed"})
        elif kind == "stream":
            self.printed += content["text"]
        elif kind == "error":
            self.printed += "\n".join(content["traceback"])
        elif kind == "status" and content["execution_state"] == "idle":
            self.ended.append(message["parent_header"]["msg_id"])

    def _send(self, kind: str, content: dict[str, Any], target: str) -> None:
        message = self._client.session.msg(kind, content)
        if self._subshells:
            message["header"]["subshell_id"] = self._shell_of(target)
        self._client.shell_channel.send(message)

    def _shell_of(self, target: str) -> str:
        """The subshell of a target; JupyterLab has one for each."""
        if f"shell of {target}" not in self._comms:
            request = self._client.session.msg("create_subshell_request", {})
            self._client.control_channel.send(request)
            reply = self._client.control_channel.get_msg(timeout=LONG)
            self._comms[f"shell of {target}"] = reply["content"]["subshell_id"]
        return self._comms[f"shell of {target}"]
