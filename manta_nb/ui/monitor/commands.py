"""What the screen of a monitor may ask of the kernel."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from manta_nb.errors import MantaError
from manta_nb.sdk.parse import one_line

__all__ = ["Actions", "Commands"]

_log = logging.getLogger(__name__)

#: each with what it asks for; the thread that receives them may be the only one that does
_ASKS = ("value", "nodes", "logs")
#: how many commands may be under way at once: more are refused, so that nothing can pile up threads
_MOST = 16


class Actions(Protocol):
    """What a person does to a run; each returns one line that says what was done."""

    def stop(self) -> str:
        """End the run now."""

    def resume(self) -> str:
        """Let it go on after its last committed iteration."""

    def node(self, action: str, node_id: str, factor: float | None, seconds: float | None) -> str:
        """Kill, freeze, slow or restart one node."""


class Commands:
    """Takes commands from any thread and never holds it up: what takes time runs in a thread of its own.

    Args:
        actions: does what a person asks for.
        answer: answers a question about values, nodes or log lines: `(content, buffers)`.
        show: sends `(content, buffers)` to the screen.
        hello: called where the screen wants everything.
    """

    def __init__(
        self,
        actions: Actions,
        answer: Callable[[Mapping[str, Any]], tuple[Mapping[str, Any], Any]],
        show: Callable[[Mapping[str, Any], Any], None],
        hello: Callable[[], None],
    ) -> None:
        self._actions = actions
        self._answer = answer
        self._show = show
        self._hello = hello
        #: whether the run was stopped from here; resumed it is not
        self.stopped = False
        self._free = threading.BoundedSemaphore(_MOST)

    def handle(self, command: object) -> None:
        """Do what a message from the browser says; one that says nothing known is left out with a log line."""
        op = command.get("op") if isinstance(command, dict) else None
        if op in ("hello", "gap"):
            self._hello()
        elif isinstance(command, dict) and op in ("stop", "resume", "node", *_ASKS):
            self._begin(op, command)
        else:
            _log.warning("the monitor's screen sent something unknown: %.80r", command)

    def _begin(self, op: str, command: dict[str, Any]) -> None:
        if not self._free.acquire(blocking=False):
            late = "too much is asked for at once: try again in a moment"
            with contextlib.suppress(OSError):
                if op in _ASKS:
                    self._show(*_refusal(command, late))
                else:
                    self._tell(False, late)
            return
        work = self._ask if op in _ASKS else self._act
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run,
            args=(self._finish, work, op, command),
            name=f"manta-nb-monitor-{op}",
            daemon=True,
        ).start()

    def _finish(self, work: Callable[[str, dict[str, Any]], None], op: str, command: dict[str, Any]) -> None:
        try:
            work(op, command)
        except OSError:
            _log.debug("the screen of a monitor has gone")
        finally:
            self._free.release()

    def _ask(self, op: str, command: dict[str, Any]) -> None:
        try:
            answer = self._answer(command)
        except Exception as error:  # noqa: BLE001 - the screen waits for an answer, whatever happens
            answer = _refusal(command, _said(error, op))
        self._show(*answer)

    def _act(self, op: str, command: dict[str, Any]) -> None:
        try:
            ok, text = True, self._done(op, command)
        except Exception as error:  # noqa: BLE001 - as above
            ok, text = False, _said(error, op)
        self._tell(ok, text)

    def _done(self, op: str, command: dict[str, Any]) -> str:
        if op == "stop":
            told = self._actions.stop()
            self.stopped = True
            return told
        if op == "resume":
            self.stopped = False
            return self._actions.resume()
        action, node = command.get("action"), command.get("node")
        if not isinstance(node, str) or action not in ("kill", "freeze", "slow", "restart"):
            raise MantaError(f"no such thing can be done to a node: {str(action)[:40]}")
        return self._actions.node(
            action, node, _number(command.get("factor")), _number(command.get("seconds"))
        )

    def _tell(self, ok: bool, text: str) -> None:
        self._show({"op": "told", "ok": ok, "text": one_line(text)}, [])


def _refusal(command: Mapping[str, Any], text: str) -> tuple[Mapping[str, Any], Any]:
    return {"op": "answer", "ask": command.get("ask"), "ok": False, "text": text}, []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _said(error: Exception, op: str) -> str:
    """A mistake in its own words, a bug of ours with its kind."""
    if isinstance(error, MantaError):
        return one_line(str(error))
    _log.error("%s failed in a monitor", op, exc_info=error)
    return one_line(f"{op} failed: {type(error).__name__}: {error}")
