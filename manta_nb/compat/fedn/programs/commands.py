"""Which program the command of an entry point starts: Python with a script and its words, or what only a shell knows.

Arguments stay a list all the way, so that blanks and quotes in paths mean nothing. What FEDn's own images have at
`/venv/bin/python`, and every Python that is not there, is the node's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from manta_nb.compat.fedn.programs.calls import Call
from manta_nb.compat.fedn.programs.shelltext import (
    IMAGE_PYTHON,
    is_python,
    needs_shell,
    plain_words,
    runnable,
    shell_text,
)
from manta_nb.compat.fedn.programs.warm.program import PythonProgram

__all__ = ["Expanded", "expand", "shell_argv"]

#: options of Python that take a word of their own
_WITH_VALUE = re.compile(r"-[^WX-]*[WX]|--check-hash-based-pycs")
#: options that end Python's own, with the rest of the word or the next word
_PROGRAM = re.compile(r"-([bBdEhiIOPqRsSuvVx?]*)([cm])(.*)", re.DOTALL)
_SHEBANG = re.compile(rb"#!\s*([^\n]*)")
_PLAIN_NAME = re.compile(r"(?<![\w./-])python3?(?![\w./-])")
#: seconds a shell may take to expand words
_PATIENCE = 30


@dataclass(frozen=True)
class Expanded:
    """What a command comes to."""

    #: the exact words of the program; None: only a shell can start it
    argv: tuple[str, ...] | None
    #: the same where it is a script or a module of the node's own Python
    program: PythonProgram | None = None
    #: why a shell has to, or why it is no such program: "it has '&'"
    why: str = ""
    #: for the log, once: which Python took the place of which
    notes: tuple[str, ...] = ()


def expand(call: Call) -> Expanded:
    """What the command of a call starts, its words expanded as a shell expands them, in the folder of the call.

    Example:
        `/venv/bin/python entrypoint train $ENTRYPOINT_OPTS`, with `--data_path=x.pt` for the node, has the `argv`
        `(interpreter, "entrypoint", "train", "--data_path=x.pt", IN, OUT)`.
    """
    text, notes = shell_text(call)
    words: list[str] = []
    why = needs_shell(text)
    if not why:
        words = plain_words(text, call) or _expanded_by_shell(text, call)
        why = "" if words else "a shell could not expand it"
    found = Expanded(None, why=why) if why else _python(words, call)
    if not (notes or found.notes) and _PLAIN_NAME.search(text):
        notes = [f"python means {call.interpreter}"]
    return replace(found, notes=(*notes, *found.notes))


def shell_argv(call: Call) -> list[str]:
    """How a shell does it: the paths are its `"$@"`, never part of the text.

    Example:
        `["/bin/bash", "-c", 'cd src && python train.py "$@"', "bash", IN, OUT]`
    """
    shell = _shell(call)
    return [shell, "-c", shell_text(call)[0], Path(shell).name, *call.arguments]


def _shell(call: Call) -> str:
    path = call.environment.get("PATH")
    return shutil.which("bash", path=path) or shutil.which("sh", path=path) or "/bin/sh"


def _expanded_by_shell(text: str, call: Call) -> list[str]:
    """The words as the shell makes them; empty where it cannot."""
    shell = _shell(call)
    command = [shell, "-c", f"printf '%s\\0' {text}", Path(shell).name, *call.arguments]
    try:
        done = subprocess.run(
            command,
            cwd=call.folder,
            env=dict(call.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if done.returncode else [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


def _python(words: list[str], call: Call) -> Expanded:
    """The program of expanded words, if the node's own Python runs it."""
    first, rest = words[0], words[1:]
    if is_python(first):
        other = _other_python(first, call)
        return (
            Expanded(None, why=f"{first} is a Python of its own") if other else _of_python(first, rest, call)
        )
    script = _script(first, call)
    if script is None:
        return Expanded(None, why=f"{first} is no Python program")
    interpreter, flags = script
    if _other_python(interpreter, call):
        return Expanded(None, why=f"{first} has a Python of its own: {interpreter}")
    program = PythonProgram(flags, first if "/" in first else f"./{first}", None, tuple(rest))
    return Expanded(_argv(program, call), program, notes=_replaced(interpreter, call))


def _of_python(name: str, options: list[str], call: Call) -> Expanded:
    """What `python OPTIONS` starts."""
    flags: list[str] = []
    while options and options[0].startswith("-") and options[0] not in {"-", "--"}:
        option = options[0]
        ends = _PROGRAM.fullmatch(option)
        if ends is not None:
            break
        taken = 2 if _WITH_VALUE.fullmatch(option) else 1
        flags += options[:taken]
        options = options[taken:]
    argv, notes = (call.interpreter, *flags, *options), _replaced(name, call)
    if not options or options[0] in {"-", "--"} or not _only_known(flags):
        return Expanded(argv, why="it is Python without a script", notes=notes)
    if ends := _PROGRAM.fullmatch(options[0]):
        attached = ends[3] or (options[1] if len(options) > 1 else "")
        if ends[2] == "c" or not attached:
            return Expanded(argv, why="it is Python with a text instead of a script", notes=notes)
        before = (*flags, f"-{ends[1]}") if ends[1] else tuple(flags)
        module = PythonProgram(before, None, attached, tuple(options[1 if ends[3] else 2 :]))
        return Expanded(_argv(module, call), module, notes=notes)
    script, moved = _own_copy(options[0], call)
    program = PythonProgram(tuple(flags), script, None, tuple(options[1:]))
    return Expanded(_argv(program, call), program, notes=(*notes, *moved))


def _only_known(flags: list[str]) -> bool:
    """Whether nothing in the flags keeps Python from running a script, as `-h`, `-V` and `-i` do."""
    own = [flag for flag in flags if flag.startswith("-") and flag != "--check-hash-based-pycs"]
    return not any(flag.startswith("--") or re.match(r"-[^WX]*[hViqx?]", flag) for flag in own)


def _argv(program: PythonProgram, call: Call) -> tuple[str, ...]:
    target = (program.script,) if program.script is not None else ("-m", program.module or "")
    return (call.interpreter, *program.flags, *target, *program.args)


def _script(path: str, call: Call) -> tuple[str, tuple[str, ...]] | None:
    """The Python that a file asks for in its first line, with its flags; None: it is no Python script."""
    if "/" not in path and shutil.which(path, path=call.environment.get("PATH")) is not None:
        return None
    try:
        with (call.folder / path).open("rb") as stream:
            line = _SHEBANG.match(stream.readline(1000))
    except OSError:
        return None
    if line is None:
        # `command: startup.py`, without a word about what runs it
        return ("python", ()) if path.endswith(".py") else None
    words = line[1].decode("utf-8", "replace").split()
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if word != "-S"]
    return (words[0], tuple(words[1:])) if words and is_python(words[0]) else None


def _other_python(name: str, call: Call) -> bool:
    """Whether a Python is there that is not the node's: it does what it does, by itself."""
    if name in {"python", "python3", IMAGE_PYTHON, call.interpreter}:
        return False
    found = shutil.which(name, path=call.environment.get("PATH")) if "/" not in name else name
    if found is None or not runnable(found, call.folder):
        return False
    same_folder = os.path.dirname(found) == os.path.dirname(call.interpreter)
    return not (same_folder and os.path.realpath(found) == os.path.realpath(call.interpreter))


def _replaced(name: str, call: Call) -> tuple[str, ...]:
    if "/" not in name or name == call.interpreter:
        return ()
    return (f"{name} is not on this node: {call.interpreter} takes its place",)


def _own_copy(script: str, call: Call) -> tuple[str, tuple[str, ...]]:
    """`/entrypoint`, as images have it, is the package's own file where there is no such path."""
    name = Path(script).name
    if script.startswith("/") and not Path(script).exists() and (call.folder / name).is_file():
        return name, (f"{script} is not on this node: {name} of the package takes its place",)
    return script, ()
