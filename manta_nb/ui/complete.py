"""Tab completion on the line of a magic: verbs, options, and the names the notebook knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from manta_nb.errors import UsageError
from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.line import split, without_comment
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.parser import Option, Verb

__all__ = ["make_matcher", "suggestions"]

_LINE = re.compile(r"\s*(?:[\w.]+\s*=\s*)?(%manta|%%module|%%swarm|%%swarm_learning)(\s.*)$")
_CELLS = {verb.name: verb for verb in (MODULE, SWARM, SCRIPT_CELL)}

Matcher = Callable[[CompletionContext], SimpleMatcherResult]


def make_matcher(notebook: Notebook) -> Matcher:
    """A matcher for `Completer.custom_matchers`; it answers alone on our lines and not at all elsewhere."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def manta_nb_matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        first = context.cursor_line == 0 or line.lstrip().startswith("%manta") or "= %manta" in line
        found = suggestions(line, notebook) if first else None
        if found is None:
            return SimpleMatcherResult(completions=[], suppress=False)
        typed = re.split(r"[\s,=]", line)[-1]
        matched = typed if typed and context.token.endswith(typed) else context.token
        prefix = typed[: len(typed) - len(matched)] if matched and typed.endswith(matched) else ""
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text=word.removeprefix(prefix), type="magic") for word in found],
            matched_fragment=matched,
            suppress=True,
        )

    return manta_nb_matcher  # type: ignore[no-any-return]


def suggestions(line: str, notebook: Notebook) -> list[str] | None:
    """What may be typed next on `line`, which ends at the cursor; None where it is no line of ours.

    Names with commas between them are completed one by one.
    """
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
        return _starting(typed, [*VERBS, "--help"])
    verb = _CELLS.get(magic) or VERBS.get(words.pop(0) if words else "")
    return [] if verb is None else _of_verb(verb, words, typed, notebook)


def _of_verb(verb: Verb, words: list[str], typed: str, notebook: Notebook) -> list[str]:
    head, sign, value = typed.partition("=")
    if sign and (option := verb.option(head)) is not None:
        return _values(option, value, notebook)
    before = verb.option(words[-1]) if words else None
    if before is not None and before.takes_value:
        return _values(before, typed, notebook)
    used = {option.name for word in words if (option := verb.option(word)) is not None}
    options = [
        option.name
        for option in verb.options
        if not option.positional and (option.repeat or option.name not in used)
    ]
    place = next((option for option in verb.options if option.positional), None)
    names = [] if place is None or typed.startswith("-") else _values(place, typed, notebook)
    given = place is not None and not place.repeat and any(not word.startswith("-") for word in words)
    return ([] if given else names) + _starting(typed, [*options, "--help"])


def _values(option: Option, typed: str, notebook: Notebook) -> list[str]:
    kinds = option.kind.split("|")
    if "path" in kinds:
        words = [kind for kind in kinds if kind != "path"]
        return [*_starting(typed, words), *_paths(typed)]
    last = typed.rpartition(",")[2]
    return _starting(last, _known(option.kind, notebook))


def _known(kind: str, notebook: Notebook) -> Iterable[str]:
    session, namespace = notebook.session, notebook.namespace
    if kind == "node":
        return list(session.nodes) if session is not None else []
    if kind == "module":
        return [*notebook.modules]
    if kind == "run":
        return dict.fromkeys(run.name for run in notebook.runs())
    if kind == "past":
        return dict.fromkeys(run.name for run in notebook.past().entries())
    if kind == "metric":
        return dict.fromkeys(name for run in notebook.runs() for name in run.metrics.names())
    if kind == "dataset":
        from manta_nb.data.loading import BUNDLED  # noqa: PLC0415 - numpy, which nothing needs before there are nodes

        held = (
            [name for node in session.nodes.values() for name in node.datasets] if session is not None else []
        )
        return dict.fromkeys([*held, *BUNDLED])
    if kind == "tag":
        return _tags(notebook)
    if kind == "swarm":
        return [name for name, value in namespace.items() if _is_swarm(value) and not name.startswith("_")]
    return kind.split("|") if kind else []


def _paths(typed: str) -> list[str]:
    """Files and folders; those with blanks, which need quotes, are left to be typed."""
    folder, slash, begin = typed.rpartition("/")
    with suppress(OSError):
        entries = sorted(Path(f"{folder}{slash}" or ".").expanduser().iterdir())
        names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
        shown = [name for name in names if " " not in name and (begin or not name.startswith("."))]
        return _starting(typed, [f"{folder}{slash}{name}" for name in shown])
    return []


def _is_swarm(value: Any) -> bool:
    from manta_nb.sdk.swarm import Swarm  # noqa: PLC0415 - numpy, as above

    return isinstance(value, Swarm) or (
        isinstance(value, type) and issubclass(value, Swarm) and value is not Swarm
    )


def _tags(notebook: Notebook) -> Iterable[str]:
    """The tags of the latest run, and those the modules' texts name: nothing is read from a node for it."""
    usages = [entry.module.usage for entry in notebook.modules.values()]
    written = [tag for usage in usages for tag in (*usage.adds, *usage.writes, *usage.reads)]
    latest = notebook.runs()[-1:]
    return dict.fromkeys([*(tag for run in latest for tag in (*run.globals, *run.results.tags())), *written])


def _starting(typed: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(typed)]
