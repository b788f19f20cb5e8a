"""What the text of a command says before any shell has seen it: which paths it gets, which Python it means."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from manta_nb.compat.fedn.programs.calls import Call

__all__ = ["IMAGE_PYTHON", "is_python", "needs_shell", "plain_words", "runnable", "shell_text"]

#: where FEDn's own container images have their Python, which packages up to 0.8 name
IMAGE_PYTHON = "/venv/bin/python"
#: the tutorial's word for: the entry point, the two paths and the node's options
_PLACEHOLDER = "<args>"
_OPTIONS = "ENTRYPOINT_OPTS"

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
#: the Python of an environment, its path of characters that mean nothing to a shell
_PATH = re.compile(
    r"(?<![\w./$}\\~-])(?<![^\s=(;|&]['\"])"  # not the end of a longer word, nor what follows "$VENV"
    r"[^\s;|&<>()'\"`$={}\\~]*/?bin/python(?:3(?:\.\d+)?)?(?![\w./-])"
)
_VERSIONED = re.compile(r"(?<![\w./$}~=-])python3\.\d+(?![\w./-])")
_ACTIVATE = re.compile(r"(?:(?<=\s)|^)(?:source|\.)\s+([^\s;|&<>()'\"`$={}\\~]+)/bin/activate(?=[\s;&|]|$)")
_CHANGE = re.compile(r"\bcd\s+([^\s;|&<>()'\"`$]+)")
_ASSIGNMENT = re.compile(r"\s*[A-Za-z_]\w*\+?=")
_PLAIN = re.compile(r"[\w./:,+@%^=-]+", re.ASCII)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


def shell_text(call: Call) -> tuple[str, list[str]]:
    """The command as a shell shall see it, the paths as `"$@"`; and a note for each Python that is another one here.

    Example:
        `python entrypoint.py <args>` becomes `python entrypoint.py train "$@" $ENTRYPOINT_OPTS`.
    """
    text = _with_arguments(call)
    notes = []
    for path in dict.fromkeys(_PATH.findall(text)):
        if not _stays(path, text, call.folder):
            text = _with_python(_PATH, path, text)
            notes.append(f"{path} is not on this node: {call.interpreter} takes its place")
    for name in dict.fromkeys(_VERSIONED.findall(text)):
        if shutil.which(name, path=call.environment.get("PATH")) is None:
            text = _with_python(_VERSIONED, name, text)
            notes.append(f"{name} is not on this node: {call.interpreter} takes its place")
    for root in dict.fromkeys(_ACTIVATE.findall(text)):
        script = f"{root}/bin/activate"
        if not (call.folder / script).exists() and text.count(root) == 1:
            text = _ACTIVATE.sub(lambda found: "true" if found[1] == root else found[0], text)  # noqa: B023 - used at once
            notes.append(f"{script} is not on this node: python is {call.interpreter} anyway")
    return text, notes


def is_python(path: str) -> bool:
    """Whether a path or a name is one of Python: `python`, `python3`, `/venv/bin/python3.8`."""
    return _PYTHON.fullmatch(path.rpartition("/")[2]) is not None


def runnable(path: str, folder: Path) -> bool:
    """Whether there is a program at `path`, seen from `folder`."""
    return os.access(folder / path, os.X_OK) and (folder / path).is_file()


def needs_shell(text: str) -> str:
    """Why only a shell can do it: it has pipes, several commands, …; `""`: it is one command with its words."""
    if _ASSIGNMENT.match(text):
        return "it sets variables"
    for quote, pair in _letters(text):
        if pair[0] == "`" or pair == "$(":
            return "it runs commands for their output"
        if quote:
            continue
        if pair[0] in ";|&<>()\n":
            return f"it has {pair[0]!r}"
        if pair in {"$'", '$"'} or pair[0] == "#":
            return f"it has {pair!r}"
    return ""


def plain_words(text: str, call: Call) -> list[str] | None:
    """The words of a simple command, where that is as plain as it looks; None: a shell has to expand them."""
    words: list[str] = []
    for word in text.split():
        if word == '"$@"':
            words += call.arguments
        elif _PLAIN.fullmatch(word):
            words.append(word)
        elif variable := _VARIABLE.fullmatch(word):
            value = call.environment.get(variable[1] or variable[2], "")
            if any(letter in value for letter in "*?[\\"):
                return None
            words += re.split(r"[ \t\n]+", value.strip(" \t\n")) if value.strip(" \t\n") else []
        else:
            return None
    return words


def _with_arguments(call: Call) -> str:
    if _PLACEHOLDER not in call.command:
        return f'{call.command} "$@"'
    before = call.command.partition(_PLACEHOLDER)[0].split()
    # `python train.py <args>` needs no name, and one that is there already is not said twice
    named = call.name in before or any(Path(word).stem == call.name for word in before)
    options = "" if _OPTIONS in call.command else f" ${_OPTIONS}"
    return call.command.replace(_PLACEHOLDER, f'{"" if named else f"{call.name} "}"$@"{options}')


def _with_python(pattern: re.Pattern[str], gone: str, text: str) -> str:
    """`text` with `python`, which the node's PATH has first, wherever `pattern` finds what is `gone`."""
    return pattern.sub(lambda found: "python" if found[0] == gone else found[0], text)


def _stays(path: str, text: str, folder: Path) -> bool:
    """Whether a Python is where the command says: it exists, or the command itself makes it, or goes to where it is."""
    if path == IMAGE_PYTHON:
        return False
    places = [folder, *(folder / target for target in _CHANGE.findall(text))]
    if any(runnable(path, place) for place in places):
        return True
    environment = path.rpartition("/bin/")[0]
    return bool(environment) and _mentions(text, environment) > _mentions(text, f"{environment}/bin/python")


def _mentions(text: str, part: str) -> int:
    return text.count(part)


def _letters(text: str) -> Iterator[tuple[str, str]]:
    """Each letter that is not escaped, with the one after it, and whether it is within double quotes.

    Within single quotes nothing means anything.
    """
    at, quote = 0, ""
    while at < len(text):
        letter = text[at]
        if quote == "'":
            quote = "" if letter == "'" else quote
        elif letter == "\\":
            at += 1
        elif letter == '"':
            quote = "" if quote else '"'
        elif letter == "'" and not quote:
            quote = "'"
        else:
            yield quote, text[at : at + 2]
        at += 1
