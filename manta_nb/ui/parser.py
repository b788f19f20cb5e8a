"""Reads the words of a magic line by argparse, and never exits: what it cannot read is a one-line `UsageError`.

* `Option`, `Verb`: one row of the tables in `grammar` and `grammar_verbs`;
* `parse` reads words by a `Verb` and gives the checked values.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from manta_nb.errors import UsageError
from manta_nb.render import plain
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.ui import values

__all__ = ["Option", "Verb", "parse"]


@dataclass(frozen=True)
class Option:
    """One option or positional argument of a verb.

    A flag such as `--wait` has no `metavar`; a positional argument has a name without dashes.
    """

    #: "--nodes", "-p" or, positional, "RUN"
    name: str
    help: str
    #: what stands for the value in the help; "": a flag, which takes none
    metavar: str = ""
    read: values.Reader = values.text
    default: Any = None
    #: the default in words, where its value does not say it
    default_text: str = ""
    #: a value to show in errors: "8"
    sample: str = ""
    required: bool = False
    #: may be given several times; the values make a list. A positional one takes all words that are left
    repeat: bool = False
    #: the completer's word for what the value is: "run", "node", "module", "dataset", "tag", "swarm", "path", "a|b|c"
    kind: str = ""

    @property
    def key(self) -> str:
        """The attribute that holds the value: `--min-size` is `min_size`."""
        return self.name.lstrip("-").replace("-", "_").lower()

    @property
    def positional(self) -> bool:
        """Does it stand without a name?"""
        return not self.name.startswith("-")

    @property
    def takes_value(self) -> bool:
        """Is a value written after it?"""
        return bool(self.metavar)

    def default_words(self) -> str:
        """The default as the help prints it."""
        if self.required:
            return "required"
        if self.default_text:
            return self.default_text
        return (
            "off"
            if not self.takes_value and not self.positional
            else str("none" if self.default is None else self.default)
        )


@dataclass(frozen=True)
class Verb:
    """One thing that can be asked: `%manta start`, `%%module`. A row of the grammar."""

    #: how it is typed: "%manta start", "%%module"
    name: str
    summary: str
    example: str
    options: tuple[Option, ...] = ()
    #: lines of the help that explain more than options
    about: tuple[str, ...] = ()

    def option(self, word: str) -> Option | None:
        """The option written as `word`, which may hold its value: `--nodes=8`."""
        head = word.partition("=")[0]
        return next((option for option in self.options if option.name == head), None)


class _Parser(argparse.ArgumentParser):
    """argparse whose errors are raised, in the words of a notebook."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(prog=verb.name, add_help=False, allow_abbrev=False)
        self.verb = verb
        for option in verb.options:
            self._add(option)

    def _add(self, option: Option) -> None:
        if not option.positional and not option.takes_value:
            self.add_argument(option.name, action="store_true", dest=option.key)
            return
        read = partial(option.read, option.name)
        if option.positional and option.repeat:
            # argparse takes such words only where they stand together: `parse` takes them
            self.set_defaults(**{option.key: None})
        elif option.positional:
            self.add_argument(option.key, nargs=None if option.required else "?", type=read)
        else:
            action = "append" if option.repeat else "store"
            self.add_argument(
                option.name, dest=option.key, action=action, type=read, required=option.required
            )

    def error(self, message: str) -> NoReturn:
        """What argparse calls instead of raising."""
        if found := re.match(r"argument (\S+): expected one argument", message):
            option = self.verb.option(found[1])
            sample = option.sample if option else ""
            raise UsageError(f"{found[1]} needs a value, such as {found[1]} {sample}")
        if found := re.match(r"argument (\S+): ignored explicit argument '?(.*?)'?$", message):
            raise UsageError(f"{found[1]} takes no value, got {values.shown(found[2])}: write {found[1]}")
        if "required" in message:
            # the positional ones come first, and argparse calls them by their keys
            words = re.split(r"[\s:,]+", message)
            needed = [option for option in self.verb.options if option.required]
            missing = next(each for each in needed if each.name in words or each.key in words)
            raise UsageError(f"{self.verb.name} needs {missing.name}: {self.verb.example}")
        raise UsageError(
            shorten(plain(f"{self.verb.name}: {message}; {self.verb.name} --help shows how"), 200)
        )


def parse(verb: Verb, words: Sequence[str]) -> argparse.Namespace:
    """The values of `words`, checked; an option that was not given has its default.

    The names of the options that were typed are in `given`.

    Raises:
        UsageError: a word cannot be read; the message holds it and what to type instead.
    """
    glued = _glue(verb, words)
    found, rest = _Parser(verb).parse_known_args(glued)
    last = next((option for option in verb.options if option.positional and option.repeat), None)
    if last is not None and not any(word.startswith("-") for word in rest):
        setattr(found, last.key, [last.read(last.name, word) for word in rest] or None)
    elif rest:
        raise _unknown(verb, rest[0])
    # by identity: 0 is a value that was typed
    empty = (None, False)
    given = {
        option.name
        for option in verb.options
        if not any(getattr(found, option.key) is each for each in empty)
    }
    for option in verb.options:
        if option.name not in given and option.takes_value:
            setattr(found, option.key, option.default)
    found.given = given
    return found


def _glue(verb: Verb, words: Sequence[str]) -> list[str]:
    """`--alpha -1e9` as `--alpha=-1e9`: argparse would take the value for an option."""
    glued: list[str] = []
    for word in words:
        before = verb.option(glued[-1]) if glued else None
        waits = before is not None and before.takes_value and glued[-1] == before.name
        if before is not None and waits and word.startswith("-") and verb.option(word) is None:
            glued[-1] = f"{before.name}={word}"
        elif verb.option(word) is None and re.fullmatch(r"-\W*\d.*", word):
            raise _unknown(verb, word)
        else:
            glued.append(word)
    return glued


def _unknown(verb: Verb, word: str) -> UsageError:
    head = values.shown(word.partition("=")[0])
    options = [option.name for option in verb.options if not option.positional]
    if not word.startswith("-"):
        places = [option.name for option in verb.options if option.positional]
        takes = f"takes {' '.join(places)} only" if places else "takes options only"
        return UsageError(f"{verb.name} {takes}, got also {head}: {verb.name} --help shows how")
    likely = did_you_mean(head, options).replace("'", "")
    return UsageError(f"{verb.name} has no option {head}{likely}; {verb.name} --help lists all")
