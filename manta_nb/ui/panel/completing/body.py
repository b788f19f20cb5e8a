"""Completion below the line of a magic, and of a run's values in any cell: names inside quotes, modules in a flow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from manta_nb.ui.panel.completing.found import Found, Offer, starting
from manta_nb.ui.panel.completing.known import as_run, global_tags, is_module, metrics, names, result_tags

if TYPE_CHECKING:
    from manta_nb.ui.panel.sources import Source

__all__ = ["in_body"]

#: characters before the cursor that are looked at
_NEAR = 1_000
#: a quote, and what was typed after it
_QUOTE = re.compile(r"""([A-Za-z]{0,2})(["'])([^"'\\\n]*)\Z""")
_OWNER = re.compile(r"([A-Za-z_]\w*)\s*\.\s*\Z")
_TYPED = re.compile(r"[A-Za-z_]\w*\Z")
_TAG = r"\(\s*(?:tag\s*=\s*)?"
_READERS = "get_numpy_data|get_binary_data|list_dir|exists|read_file_lines"
#: what stands before the quote → what stands in the quotes; `re` compiles them when they are first needed
_PLACES = tuple(
    (rf"(?:{pattern})\s*\Z", kind)
    for pattern, kind in (
        (rf"\bglobals\s*(?:\[|\.\s*(?:get|pop){_TAG})", "global"),
        (rf"\bset_global\s*{_TAG}", "global"),
        (rf"\bresults\s*(?:\[|\.\s*(?:add|select)\s*{_TAG})", "result"),
        (r"\bmetric\s*\(", "metric"),
        (r"\bmetrics\s*\.\s*(?:plot|last|by_iteration|series|mean_series|rows)\s*\(", "metric"),
        (r"\bplot\s*\(", "metric"),
        (rf"\b(?:{_READERS})\s*\(", "readable"),
        (r"\bdatasets\s*=\s*[\[(](?:[^\])]*,)?", "dataset"),
        (r"\btry_on\s*\(", "node"),
        (r"\bnodes\s*\[", "node"),
        (r"\b(?:nodes|node_ids|specified_ids|excepted_ids)\s*=\s*[\[(](?:[^\])]*,)?", "node"),
        (r"\btask_to_schedule_alias\s*=", "module"),
        (r"\bruns\s*\[", "past"),
    )
)
#: what is written in a cell under such a tag or name, in the quotes
_WRITTEN = {
    "global": r"""\b(?:set_global\s*\(|globals\s*\[)\s*(["'])([^"'\\\n]+)\1""",
    "result": r"""\bresults\s*\.\s*(?:add|select)\s*\(\s*(["'])([^"'\\\n]+)\1""",
    "metric": r"""\bmetric\s*\(\s*(["'])([^"'\\\n]+)\1""",
}
_OF_RUN = {"global": global_tags, "result": result_tags, "metric": metrics}


class _Place(NamedTuple):
    """Where the cursor stands: inside quotes, after something that says what they hold."""

    kind: str
    #: the variable before the dot; "" where there is none
    owner: str
    typed: str
    #: where the quote stands
    start: int


def in_body(text: str, at: int, magic: str, source: Source) -> Found | None:
    """What may stand at `at` in a cell's `text`; None where we know nothing of it.

    Args:
        text: the whole cell.
        at: where the cursor stands, in characters.
        magic: how the cell begins, `%%module`; "" where it is an ordinary one.
        source: whose names are offered.
    """
    place = _place(text[max(0, at - _NEAR) : at], at)
    if place is not None:
        offers = _offers(place, text, at, magic, source)
        items = [] if offers is None else [offer for offer in starting(place.typed, offers) if _fits(offer)]
        return Found(at - len(place.typed), at, items) if items else None
    return _in_flow(text[:at].rpartition("\n")[2], at, source) if magic == "%%swarm" else None


def _place(near: str, at: int) -> _Place | None:
    quote = _QUOTE.search(near)
    if quote is None:
        return None
    head = near[: quote.start()]
    for pattern, kind in _PLACES:
        if (found := re.search(pattern, head)) is not None:
            owner = _OWNER.search(head[: found.start()])
            return _Place(kind, owner[1] if owner else "", quote[3], at - len(quote[0]))
    return None


def _offers(place: _Place, text: str, at: int, magic: str, source: Source) -> Iterable[Offer] | None:
    """What fits there; None in an ordinary cell where nothing says that it is about us."""
    value = source.namespace.get(place.owner)
    run = as_run(value, source) if value is not None else None
    if run is not None and place.kind in _OF_RUN:
        return _OF_RUN[place.kind](source, run)
    if not magic and not _is_ours(place, value, source):
        return None
    # what is being typed is no name yet
    elsewhere = text[: place.start] + text[at:]
    return [*names(place.kind, source), *_written(place.kind, elsewhere)]


def _is_ours(place: _Place, value: object, source: Source) -> bool:
    """Whether in an ordinary cell the variable before the dot is a session, a module or the package."""
    if place.kind == "node":
        return is_module(value) or any(value is session for session in source.sessions)
    if place.kind == "past":
        return place.owner == "manta_nb" or any(value is session for session in source.sessions)
    return False


def _written(kind: str, text: str) -> Iterator[Offer]:
    """The tags and names that the cell itself has elsewhere."""
    pattern = _WRITTEN.get(kind)
    if pattern is not None:
        shown = "metric" if kind == "metric" else "tag"
        yield from (Offer(found[2], shown, "in this cell") for found in re.finditer(pattern, text))


def _in_flow(line: str, at: int, source: Source) -> Found | None:
    """Modules after `>>`, in the list that follows it, and where a line begins."""
    found = _TYPED.search(line)
    typed = found[0] if found is not None else ""
    before = line[: len(line) - len(typed)].rstrip()
    follows = before.endswith(">>") or (">>" in before and before[-1:] in ("[", ","))
    if not follows and (before or not typed):
        return None
    items = starting(typed, names("module", source))
    return Found(at - len(typed), at, items, alone=False) if items else None


def _fits(offer: Offer) -> bool:
    """Whether it can stand in quotes as it is."""
    return offer.text.isprintable() and not any(char in offer.text for char in "\"'\\")
