"""What is offered at a cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Found", "Offer", "starting"]


class Offer(NamedTuple):
    """One thing that may stand at the cursor; `kind` and `help` as in `protocol.Completion`."""

    text: str
    kind: str
    help: str = ""


class Found(NamedTuple):
    """What may stand in the place of the text from `start` to `end`; `alone` where nothing else makes sense there."""

    start: int
    end: int
    items: list[Offer]
    alone: bool = True


def starting(typed: str, offers: Iterable[Offer]) -> list[Offer]:
    """Those that begin with what was typed, each once."""
    return list({offer.text: offer for offer in offers if offer.text.startswith(typed)}.values())
