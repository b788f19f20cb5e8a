"""`Release`: whether the run still waits for the batch that a child works on."""

from __future__ import annotations

import os
import threading

from manta_nb.runtime.runners.channel import Channel, ChannelClosed

__all__ = ["RELEASE", "Release"]

#: the one thing a worker says to a child in the middle of a batch; one that comes too late is passed over
RELEASE = "release"


class Release:
    """One batch's, in the child: costs nothing until a task asks, then a look at the channel.

    Args:
        channel: to the worker.
        given: whether the batch was released before it was sent.
    """

    def __init__(self, channel: Channel, given: bool = False) -> None:
        self._channel = channel
        self._given = given
        self._process = os.getpid()
        # two threads of a task must not both wait for the one message
        self._looking = threading.Lock()

    def look(self) -> bool:
        """Whether it was released; a process that the task forked hears nothing new."""
        if self._given or os.getpid() != self._process:
            return self._given
        with self._looking:
            if not self._given and self._channel.poll(0):
                message = self._channel.receive()
                if message.get("op") != RELEASE:
                    raise ChannelClosed(f"the worker said {message.get('op')!r} in the middle of a batch")
                self._given = True
        return self._given
