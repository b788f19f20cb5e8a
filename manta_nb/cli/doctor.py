"""`manta-nb doctor`: what this machine has, and what to do about what it has not."""

from __future__ import annotations

import json
from argparse import Namespace

from manta_nb.cli.console import Console
from manta_nb.session.doctor import report

__all__ = ["main"]


def main(options: Namespace, console: Console) -> int:
    """Look, and tell; 1 where something is missing that a run on this machine needs."""
    found = report()
    console.give(json.dumps(found.to_dict(), ensure_ascii=False) if options.json else str(found))
    return 0 if found.ready else 1
