"""The loop of the process that programs are forked from: it answers callers, forks, and tells how programs ended."""

from __future__ import annotations

import gc
import json
import os
import selectors
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .leaving import Lookout, alive, close_shop
from .order import Order
from .pantry import Pantry
from .programs import Programs, watch
from .wanted import Lesson, Wanted
from .wire import Gone, owner, receive, send

__all__ = ["WAITING", "Oven", "State"]

#: seconds without a caller after which it ends, though the processes that used it live
IDLE = 600.0
#: callers that may knock at once
WAITING = 1024
#: seconds between two looks at programs, and at members, where the system has no pidfds
SOON, LATER = 0.005, 1.0


@dataclass(frozen=True)
class State:
    """What it is told when it is started."""

    #: descriptors: where callers knock, and where standard output leads
    listener: int
    output: int
    #: the path of the listener
    place: str
    #: folders whose modules may be kept, besides installed ones
    roots: list[str]
    #: the first process it serves
    member: int
    #: module → why it is not kept, as those before it found out
    avoid: dict[str, str]


class Oven:
    """Serves the callers of one socket.

    Args:
        state: what it begins with.
        early: the modules that every Python of this kind has when it starts.
    """

    def __init__(self, state: State, early: set[str]) -> None:
        self._state = state
        self._early = early
        self._pantry = Pantry(state.roots, state.output, dict(state.avoid))
        self._selector = selectors.DefaultSelector()
        self._programs = Programs(self._selector)
        self._listener = socket.socket(fileno=state.listener)
        # callers see who serves: whoever listened last
        self._listener.listen(WAITING)
        self._selector.register(self._listener, selectors.EVENT_READ, ("knock", 0))
        #: a caller's socket → its program, or 0
        self._callers: dict[socket.socket, int] = {}
        #: the processes that it serves, and their pidfds: when all are gone, it ends
        self._members: dict[int, int | None] = {}
        #: whether something came in that must not be kept: it only ends what it began
        self._retired = False
        #: what programs have told, and was not thought of yet
        self._lessons: list[Lesson] = []
        self._join(state.member)

    def serve(self) -> Order:
        """Serve until nobody is left, which ends this process; returns in every program that it forks."""
        while True:
            patience = self._patience()
            ready = self._selector.select(patience)
            for key, _ in ready:
                kind, value = key.data
                if kind == "knock":
                    self._accept()
                elif kind == "caller" and key.fileobj in self._callers:
                    order = self._hear(value)
                    if order is not None:
                        return order
                elif kind == "member":
                    self._leave(value)
            self._tell_ends()
            self._learn()
            self._end_if_alone(idle=not ready and patience == IDLE)

    def _patience(self) -> float:
        if self._programs.unwatched:
            return SOON
        return LATER if None in self._members.values() else IDLE

    # -- who is there

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        pid, uid = owner(sock)
        if uid != os.getuid():
            sock.close()
            return
        if pid not in self._programs.pids:
            self._join(pid)
        self._callers[sock] = 0
        self._selector.register(sock, selectors.EVENT_READ, ("caller", sock))

    def _drop(self, sock: socket.socket) -> None:
        """A caller is gone, and its program with it."""
        self._programs.kill(self._callers.pop(sock))
        self._selector.unregister(sock)
        sock.close()

    def _join(self, pid: int) -> None:
        if pid > 0 and pid not in self._members and alive(pid):
            self._members[pid] = watch(self._selector, pid, "member")

    def _leave(self, pid: int) -> None:
        pidfd = self._members.pop(pid, None)
        if pidfd is not None:
            self._selector.unregister(pidfd)
            os.close(pidfd)

    def _end_if_alone(self, idle: bool) -> None:
        for pid in [pid for pid, pidfd in self._members.items() if pidfd is None and not alive(pid)]:
            self._leave(pid)
        if self._callers or self._programs:
            return
        if idle or self._retired or not self._members:
            close_shop(self._listener, self._state.place, self._retired)

    # -- what callers ask

    def _hear(self, sock: socket.socket) -> Order | None:
        """Answer one message; returns what to run in the program that was forked for it."""
        try:
            message, output = receive(sock)
            if self._retired and message["op"] in {"prepare", "run"}:
                _close(output)
                send(sock, {"op": "again"})
            elif message["op"] == "prepare":
                self._prepare(sock, message)
            elif message["op"] == "run":
                return self._run(sock, message, output)
            elif message["op"] == "kill":
                self._programs.kill(self._callers[sock])
            elif message["op"] == "learn":
                changed = set(message["changed"])
                self._lessons.append(Lesson(message["names"], message["origins"], changed))
            elif message["op"] == "leave":
                self._leave(owner(sock)[0])
        except Gone:
            self._drop(sock)
        return None

    def _prepare(self, sock: socket.socket, message: dict[str, Any]) -> None:
        sys.argv = ["", *message["arguments"]]
        with Lookout(list(self._callers), dict(self._members)):
            wanted = [Wanted(**each) for each in message["wanted"]]
            good = self._pantry.fill(wanted, self._programs.pids)
        if not good:
            self._retire()
            send(sock, {"op": "again"})
            return
        gc.collect()
        clash = [name for name in message["own"] if name in sys.modules and name not in self._early]
        names = {each.name for each in wanted}
        avoided = {name: why for name, why in self._pantry.avoid.items() if name in names}
        send(sock, {"op": "ready", "clash": clash, "avoided": avoided})

    def _learn(self) -> None:
        lessons, self._lessons = self._lessons, []
        for lesson in lessons:
            if self._retired:
                return
            with Lookout(list(self._callers), dict(self._members)):
                good = self._pantry.learn(lesson, self._programs.pids)
            if not good:
                self._retire()

    def _run(self, sock: socket.socket, message: dict[str, Any], output: list[int]) -> Order | None:
        differs = self._pantry.differs(message["environment"])
        if differs:
            _close(output)
            send(sock, {"op": "refused", "variable": differs})
            return None
        message["environment"] = self._pantry.as_imports_leave(message["environment"])
        parent = os.getpid()
        pid, group = self._programs.fork()
        if pid == 0:
            self._let_go()
            return Order.of(message, output, parent, group, self._state.place)
        _close(output)
        self._callers[sock] = pid
        send(sock, {"op": "started"})
        return None

    def _tell_ends(self) -> None:
        for pid, code in self._programs.ended().items():
            for sock in [sock for sock, program in self._callers.items() if program == pid]:
                self._callers[sock] = 0
                try:
                    send(sock, {"op": "ended", "code": code})
                except Gone:
                    self._drop(sock)

    def _let_go(self) -> None:
        """A program has nothing of this process open."""
        self._selector.close()
        self._listener.close()
        for sock in self._callers:
            sock.close()
        self._programs.forget()
        _close([pidfd for pidfd in self._members.values() if pidfd is not None])
        _close([self._state.output])

    def _retire(self) -> None:
        """Something came in that must not be kept: who comes now starts another one, which avoids it."""
        self._retired = True
        with suppress(OSError):
            with open(f"{self._state.place}.avoid", "w", encoding="utf-8") as stream:
                json.dump(self._pantry.avoid, stream)
            os.unlink(self._state.place)
        self._selector.unregister(self._listener)
        self._listener.close()


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
