"""Completion in a cell, for IPython's Tab and for the JupyterLab extension: what `panel.completing` finds."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from manta_nb.ui.panel.completing.body import in_body
from manta_nb.ui.panel.completing.found import Found
from manta_nb.ui.panel.completing.line import CELLS, fragment, on_line

if TYPE_CHECKING:
    from manta_nb.ui.panel.sources import Source

__all__ = ["complete_cell", "find", "make_matcher", "suggestions"]

_log = logging.getLogger(__name__)

#: completions that are offered at once
MOST = 500
#: characters above this one take two units
_ONE_UNIT = "\uffff"
_MAGIC = re.compile(r"\s*(%%\w+)")

Matcher = Callable[[CompletionContext], SimpleMatcherResult]


def make_matcher(notebook: Source) -> Matcher:
    """A matcher for `Completer.custom_matchers`; it answers where it knows something, and not at all elsewhere."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def manta_nb_matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")
        at = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        found = find(context.full_text, at, notebook)
        if found is None:
            return SimpleMatcherResult(completions=[], suppress=False)
        typed = context.full_text[found.start : found.end]
        matched = typed if typed and context.token.endswith(typed) else context.token
        prefix = typed[: len(typed) - len(matched)] if matched and typed.endswith(matched) else ""
        return SimpleMatcherResult(
            completions=[
                SimpleCompletion(text=offer.text.removeprefix(prefix), type="magic") for offer in found.items
            ],
            matched_fragment=matched,
            suppress=found.alone,
        )

    return manta_nb_matcher  # type: ignore[no-any-return]


def suggestions(line: str, notebook: Source) -> list[str] | None:
    """What may be typed next on `line`, which ends at the cursor; None where it is no line of ours."""
    found = on_line(line, notebook)
    return None if found is None else [offer.text for offer in found]


def complete_cell(text: str, at: int, source: Source) -> Found:
    """What may stand at a cursor, as a page counts: `at`, `start` and `end` are in UTF-16 units."""
    cursor = _characters(text, max(0, at))
    found = find(text, cursor, source) or Found(cursor, cursor, [])
    return found._replace(start=_units(text[: found.start]), end=_units(text[: found.end]))


def find(text: str, at: int, source: Source) -> Found | None:
    """What may stand at the character `at` of a cell; None where we know nothing. Never raises."""
    try:
        found = _find(text, at, source)
    except Exception:  # noqa: BLE001 - whoever types is not to be told of a run that went in this moment
        _log.debug("nothing can be offered", exc_info=True)
        return None
    return None if found is None else found._replace(items=found.items[:MOST])


def _find(text: str, at: int, source: Source) -> Found | None:
    line = text[:at].rpartition("\n")[2]
    is_first = not text[: at - len(line)].strip()
    if is_first or line.lstrip().startswith("%manta") or "= %manta" in line:
        offers = on_line(line, source)
        if offers is not None:
            return Found(at - len(fragment(line)), at, offers)
    begins = _MAGIC.match(text)
    magic = begins[1] if begins is not None and begins[1] in CELLS else ""
    return None if is_first and magic else in_body(text, at, magic, source)


def _units(text: str) -> int:
    """How long a page says that a text is."""
    return len(text) + sum(char > _ONE_UNIT for char in text)


def _characters(text: str, units: int) -> int:
    """How many characters a page means by so many units."""
    if not text or max(text) <= _ONE_UNIT:
        return min(units, len(text))
    counts = accumulate(1 + (char > _ONE_UNIT) for char in text)
    return next((place for place, count in enumerate(counts) if count > units), len(text))
