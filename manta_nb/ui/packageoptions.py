"""From the options of `%manta fedn` and `manta-nb fedn run` to what `manta_nb.fedn.run` is asked for."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.fedn.preparing import Wishes
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.ui.asked import typed, wishes
from manta_nb.ui.grammar_fedn import PACKAGE_OPTIONS

__all__ = ["wishes_of"]

#: options that are read here
_READ = ("aggregator_kwargs", "server_functions", "no_validate", "no_startup")


def wishes_of(options: Namespace, **more: Any) -> Wishes:
    """What was typed, checked as far as text can be; what was not is left out: nodes in use are then kept as they are.

    Args:
        options: of the line.
        more: arguments of `Session` that stand for what was typed, such as `data` where that is a variable.

    Raises:
        UsageError: JSON that is none, or a file that cannot be read.
    """
    found = {key: value for key, value in typed(options, PACKAGE_OPTIONS).items() if key not in _READ} | more
    if options.aggregator_kwargs is not None:
        found["aggregator_kwargs"] = _mapping(options.aggregator_kwargs)
    if options.server_functions is not None:
        found["server_functions"] = _text(options.server_functions)
    found |= {"validate": not options.no_validate, "startup": not options.no_startup, "name": options.name}
    return wishes(Wishes, found)


def _mapping(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(
            one_line(f"--aggregator-kwargs is not JSON ({error}): {shorten(text, 60)}")
        ) from error
    if not isinstance(found, dict):
        raise UsageError(
            f'--aggregator-kwargs is an object such as {{"learning_rate": 0.1}}, got {shorten(text, 60)}'
        )
    return found


def _text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(one_line(f"--server-functions: cannot read {shorten(path, 80)}: {why}")) from error
