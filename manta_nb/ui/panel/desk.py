"""`Desk`: where the questions of pages are taken, a bounded number of them at once, each on a thread of its own."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from manta_nb.errors import CorruptBytes, MantaError, UsageError

if TYPE_CHECKING:
    from manta_nb.ui.notebook import Notebook
    from manta_nb.ui.panel.sources import Source
    from manta_nb.ui.panel.views import View

__all__ = ["Desk"]

_log = logging.getLogger(__name__)

_ASKS = ("stop", "resume", "monitor", "value", "complete")
#: how many questions may be under way at once: more are refused, so that nothing can pile up threads
_MOST = 16


class Desk:
    """Never holds up the thread on which a question comes: it may be the only one that hears the page.

    Args:
        source: what is asked about.
        notebook: the same where the magics are there.
    """

    def __init__(self, source: Source, notebook: Notebook | None) -> None:
        self._source = source
        self._notebook = notebook
        self._free = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()
        self._parts: tuple[Any, Any] | None = None
        self._closed = False

    def take(self, view: View, data: Mapping[str, Any], done: Callable[[], None]) -> None:
        """Do what a page asks for; what says nothing known is left out with a log line.

        Args:
            view: where the answer goes.
            data: the question.
            done: called after something was done to a run.
        """
        op, ask = data.get("op"), data.get("ask")
        if op == "close_monitor":
            self._begin(lambda: self._close_monitor(data.get("model")), "close_monitor")
        elif op not in _ASKS or not isinstance(ask, int) or isinstance(ask, bool):
            _log.warning("a page sent something unknown: %.80r", data)
        elif not self._begin(lambda: self._answer(view, data, done), op):
            with contextlib.suppress(OSError):
                view.send(_refusal(ask, "too much is asked for at once: try again in a moment"))

    def take_over(self, notebook: Notebook) -> None:
        """The magics were loaded: from now on questions are about that notebook; monitors that are open stay."""
        with self._lock:
            self._source = self._notebook = notebook
            if self._parts is not None:
                before, monitors = self._parts
                before.close()
                monitors.notebook = notebook
                self._parts = (self._questions(monitors), monitors)

    def forget(self, token: str) -> bool:
        """A view has gone; whether something is left that it, or another one, opened."""
        parts = self._parts
        if parts is None:
            return False
        parts[1].leave(token)
        return len(parts[1]) > 0

    def let_go(self) -> None:
        """Let go of everything that was opened, also by questions that are under way; later ones may open more."""
        with self._lock:
            parts, self._parts = self._parts, None
        if parts is not None:
            questions, monitors = parts
            monitors.close_all()
            questions.close()

    def close(self) -> None:
        """Let go of everything, and take no question any more."""
        with self._lock:
            self._closed = True
        self.let_go()

    def _begin(self, work: Callable[[], None], name: str) -> bool:
        """Work on a thread of its own; false where too much is under way."""
        if not self._free.acquire(blocking=False):
            return False
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._finish, work), name=f"manta-nb-panel-{name}", daemon=True
        ).start()
        return True

    def _finish(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - the page that asked has gone, or the kernel is going
            _log.debug("an answer could not be sent", exc_info=True)
        finally:
            self._free.release()

    def _answer(self, view: View, data: Mapping[str, Any], done: Callable[[], None]) -> None:
        head = {"op": "answer", "ask": data["ask"]}
        try:
            content = {**head, "ok": True, **self._open()[0].answer(view.token, data)}
        except Exception as error:  # noqa: BLE001 - the page waits for an answer, whatever happens
            content = _refusal(data["ask"], _said(error, str(data["op"])))
        view.send(content)
        done()

    def _close_monitor(self, model: object) -> None:
        if isinstance(model, str):
            self._open()[1].close(model)

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._closed:
                raise UsageError("manta_nb was unloaded: %load_ext manta_nb, then once more")
            if self._parts is None:
                # by name: numpy and more, which nothing needs before somebody asks
                monitors = import_module("manta_nb.ui.panel.monitors").Monitors(self._notebook)
                self._parts = (self._questions(monitors), monitors)
            return self._parts

    def _questions(self, monitors: Any) -> Any:
        asked = import_module("manta_nb.ui.panel.questions")
        return asked.Questions(self._source, self._notebook, monitors)


def _refusal(ask: int, text: str) -> dict[str, Any]:
    return {"op": "answer", "ask": ask, "ok": False, "text": text}


def _said(error: Exception, op: str) -> str:
    """A mistake in its own words, a bug of ours with its kind."""
    # by name: it is needed where something went wrong
    said: Callable[[object], str] = import_module("manta_nb.ui.panel.texts").said
    if isinstance(error, MantaError | CorruptBytes):
        return said(error)
    _log.error("%s failed in the sidebar", op, exc_info=error)
    return said(f"{op} failed: {type(error).__name__}: {error}")
