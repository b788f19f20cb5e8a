"""At the end of a program: it tells the process that it comes from what it had to import, for the next one."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

from .order import Order
from .wire import Gone, send

__all__ = ["tell"]


def tell(order: Order, before: set[str]) -> None:
    """Tell what was imported beyond `before`, if it was not the package's own."""
    # a program may have done anything to sys.modules, and must not hear of it
    with suppress(Exception):
        _tell(order, before)


def _tell(order: Order, before: set[str]) -> None:
    own = tuple(os.path.realpath(path) + os.sep for path in (order.folder, *sys.path[:1]))
    names, origins = [], {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        spec, first = getattr(module, "__spec__", None), getattr(sys.modules.get(top), "__spec__", None)
        if name in before or spec is None or spec.name != name or first is None:
            continue
        origin = first.origin or ""
        if name != "__main__" and not os.path.realpath(origin).startswith(own):
            names.append(name)
            origins[top] = origin
    if not names:
        return
    now = dict(os.environ)
    different = [
        name for name in now.keys() | order.environment if now.get(name) != order.environment.get(name)
    ]
    # nobody there any more: nobody to tell
    with suppress(OSError, Gone), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(order.place)
        send(sock, {"op": "learn", "names": names, "origins": origins, "changed": different})
