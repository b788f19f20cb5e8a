"""`manta-nb COMMAND …`: finds the command, reads its options, calls it, and turns what comes into an exit code."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from manta_nb import __version__
from manta_nb.cli.console import Console
from manta_nb.cli.grammar import COMMANDS, GROUPS, group_overview, overview
from manta_nb.errors import MantaError, UsageError
from manta_nb.sdk.names import did_you_mean
from manta_nb.ui.help import asks_for_help, verb_help
from manta_nb.ui.parser import Verb, parse
from manta_nb.ui.values import shown

__all__ = ["main"]

#: exit codes as shells know them: a mistake of the user, an interrupt, a reader that went away
USAGE, INTERRUPTED, NO_READER = 2, 130, 141


def main(words: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run one command; returns the exit code.

    A mistake of the person at the keyboard is one line. Anything else keeps its traceback.

    Args:
        words: what was typed after `manta-nb`; None: the arguments of this process.
        console: where to write; None: stdout and stderr.
    """
    words = sys.argv[1:] if words is None else words
    console = console or Console(sys.stdout, sys.stderr)
    try:
        return _call(words, console)
    except MantaError as error:
        console.say(f"error: {error}")
        return USAGE
    except KeyboardInterrupt:
        console.say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NO_READER


def _call(words: Sequence[str], console: Console) -> int:
    first, rest = (words[0], list(words[1:])) if words else ("--help", [])
    if first in ("--help", "-h", "help"):
        if rest and rest[0] in GROUPS:
            return _of_group(rest[0], rest[1:], console)
        console.give(str(verb_help(COMMANDS[rest[0]])) if rest and rest[0] in COMMANDS else overview())
        return 0
    if first == "--version":
        console.give(f"manta-nb {__version__}")
        return 0
    if first in GROUPS:
        return _of_group(first, rest, console)
    verb = COMMANDS.get(first)
    if verb is None:
        known = [*COMMANDS, *GROUPS]
        hint = did_you_mean(first, known).replace("'", "")
        raise UsageError(f"manta-nb has no command {shown(first)}{hint}; it has {', '.join(known)}")
    if asks_for_help(rest):
        console.give(str(verb_help(verb)))
        return 0
    # By name: Dask and the rest take a second, which --help should not.
    command = import_module(f"manta_nb.cli.{first}")
    code: int = command.main(_options(verb, rest), console)
    return code


def _of_group(group: str, words: list[str], console: Console) -> int:
    """A command of two words, such as `runs list`."""
    verbs = GROUPS[group]
    if not words or words[0] in ("--help", "-h", "help"):
        console.give(group_overview(group))
        return 0
    verb = verbs.get(words[0])
    if verb is None:
        hint = did_you_mean(words[0], verbs).replace("'", "")
        raise UsageError(f"manta-nb {group} has no {shown(words[0])}{hint}; it has {', '.join(verbs)}")
    if asks_for_help(words[1:2] if not verb.options else words[1:]):
        console.give(str(verb_help(verb)))
        return 0
    commands = import_module(f"manta_nb.cli.{group.replace('-', '_')}").COMMANDS
    code: int = commands[words[0]](_options(verb, words[1:]), console)
    return code


def _options(verb: Verb, words: list[str]) -> Namespace:
    """The command's options; one that has none of its own passes on what it is given."""
    return parse(verb, words) if verb.options else Namespace(words=words)
