"""The help of the magics, made from the same tables the parser reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from manta_nb.render import Shown, esc
from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.parser import Option, Verb

__all__ = ["Help", "asks_for_help", "documented", "overview", "verb_help"]

Magic = TypeVar("Magic", bound=Callable[..., Any])


class Help(Shown):
    """A help text; in a notebook as preformatted text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f'<pre style="white-space:pre-wrap;margin:0">{esc(self._text)}</pre>'


def documented(text: Help) -> Callable[[Magic], Magic]:
    """Make a help text the docstring, which is what `%%swarm?` shows."""

    def document(magic: Magic) -> Magic:
        magic.__doc__ = str(text)
        return magic

    return document


def asks_for_help(words: list[str]) -> bool:
    """Does the line ask for help instead of anything else?"""
    return any(word in ("--help", "-h", "-?") for word in words)


def overview() -> Help:
    """All of it on one screen: what `%manta` alone shows."""
    rows = [(verb.name, verb.summary) for verb in (MODULE, SWARM, SCRIPT_CELL, *VERBS.values())]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {summary}" for name, summary in rows]
    return Help(
        "\n".join(
            [
                "A swarm in three cells: %manta start --nodes 8 --data digits · %%module worker · %%swarm fl",
                "",
                *lines,
                "",
                "Options and an example of each: %manta start --help, %%module?, %%swarm?",
            ]
        )
    )


def verb_help(verb: Verb) -> Help:
    """Every option of a verb with its default, and one example."""
    usage = " ".join([verb.name, *(_usage(option) for option in verb.options)])
    width = max((len(_left(option)) for option in verb.options), default=0)
    options = [
        f"  {_left(option):<{width}}  {option.help} (default: {option.default_words()})"
        if not option.required
        else f"  {_left(option):<{width}}  {option.help}"
        for option in verb.options
    ]
    about = ["", *verb.about] if verb.about else []
    listed = ["", *options] if options else []
    return Help(
        "\n".join(
            [f"{verb.name}: {verb.summary}", *about, "", usage, *listed, "", "Example:", f"  {verb.example}"]
        )
    )


def _usage(option: Option) -> str:
    if option.positional:
        name = f"{option.name} …" if option.repeat else option.name
        return name if option.required else f"[{name}]"
    return f"[{_left(option)}]"


def _left(option: Option) -> str:
    return f"{option.name} {option.metavar}" if option.takes_value else option.name
