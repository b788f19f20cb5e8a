"""Completion on the line of a magic: verbs, options, and the names the notebook knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from manta_nb.errors import UsageError
from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.line import split, without_comment
from manta_nb.ui.panel.completing.found import Offer, starting
from manta_nb.ui.panel.completing.known import names
from manta_nb.ui.parser import Option, Verb

if TYPE_CHECKING:
    from manta_nb.ui.panel.sources import Source

__all__ = ["CELLS", "fragment", "on_line"]

_LINE = re.compile(r"\s*(?:[\w.]+\s*=\s*)?(%manta|%%module|%%swarm|%%swarm_learning)(\s.*)$")
#: how a cell of ours begins → what its line may hold
CELLS: Mapping[str, Verb] = MappingProxyType({verb.name: verb for verb in (MODULE, SWARM, SCRIPT_CELL)})
_HELP = Offer("--help", "option", "what all this means")


def fragment(line: str) -> str:
    """What of a line that ends at the cursor is being typed; names with commas between them one by one."""
    return re.split(r"[\s,=]", line)[-1]


def on_line(line: str, source: Source) -> list[Offer] | None:
    """What may stand for the `fragment` of `line`, which ends at the cursor; None where it is no line of ours."""
    found = _LINE.match(line)
    if found is None or without_comment(line) != line:
        return None
    magic, rest = found.groups()
    typed = re.split(r"\s", rest)[-1]
    try:
        words = split(rest[: len(rest) - len(typed)])
    except UsageError:
        return []
    if magic == "%manta" and not words:
        verbs = [Offer(name, "verb", verb.summary) for name, verb in VERBS.items()]
        return starting(typed, [*verbs, _HELP])
    verb = CELLS.get(magic) or VERBS.get(words.pop(0) if words else "")
    return [] if verb is None else _of_verb(verb, words, typed, source)


def _of_verb(verb: Verb, words: list[str], typed: str, source: Source) -> list[Offer]:
    head, sign, value = typed.partition("=")
    if sign and (option := verb.option(head)) is not None:
        return _values(option, value, source)
    before = verb.option(words[-1]) if words else None
    if before is not None and before.takes_value:
        return _values(before, typed, source)
    used = {option.name for word in words if (option := verb.option(word)) is not None}
    options = [
        Offer(option.name, "option", _help(option))
        for option in verb.options
        if not option.positional and (option.repeat or option.name not in used)
    ]
    place = next((option for option in verb.options if option.positional), None)
    values = [] if place is None or typed.startswith("-") else _values(place, typed, source)
    given = place is not None and not place.repeat and any(not word.startswith("-") for word in words)
    return ([] if given else values) + starting(typed, [*options, _HELP])


def _help(option: Option) -> str:
    """What an option is for, and what holds without it."""
    usual = option.default_words()
    return option.help if usual in ("off", "none") else f"{option.help} ({usual})"


def _values(option: Option, typed: str, source: Source) -> list[Offer]:
    kinds = option.kind.split("|")
    if "path" in kinds:
        words = [Offer(kind, "value") for kind in kinds if kind != "path"]
        return [*starting(typed, words), *_paths(typed)]
    return starting(typed.rpartition(",")[2], names(option.kind, source))


def _paths(typed: str) -> list[Offer]:
    """Files and folders; those with blanks, which need quotes, are left to be typed."""
    folder, slash, begin = typed.rpartition("/")
    with suppress(OSError, ValueError, RuntimeError):
        entries = sorted(Path(f"{folder}{slash}" or ".").expanduser().iterdir())
        files = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
        shown = [name for name in files if " " not in name and (begin or not name.startswith("."))]
        return starting(typed, [Offer(f"{folder}{slash}{name}", "value") for name in shown])
    return []
