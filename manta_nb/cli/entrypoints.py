"""`manta-nb fedn train|validate|package|exec`: the programs of a package one by one, as its author tries them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from manta_nb.cli.console import Console
from manta_nb.cli.watching import FAILED
from manta_nb.compat.fedn.models.files import check_like, find_helper, load_model
from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.package.packaging import create_package
from manta_nb.compat.fedn.programs.calling import Caller, program_environment
from manta_nb.compat.fedn.programs.calls import Call, Outcome
from manta_nb.compat.fedn.programs.cold import NOT_FOUND, NOT_STARTED
from manta_nb.compat.fedn.programs.commands import expand
from manta_nb.compat.fedn.python.imports import missing_in_tail
from manta_nb.compat.fedn.rounds.reports import read_metadata, read_metrics, words_left_over
from manta_nb.compat.fedn.rounds.workcopy import WorkCopy
from manta_nb.compat.processes.ending import last_words
from manta_nb.errors import PackageError, UsageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["execute", "package", "train", "validate"]

#: as shells say it: a signal ended a program, and this is added to its number
BY_SIGNAL = 128


def train(options: Namespace, console: Console) -> int:
    """Call `train` once."""
    return _once("train", options, console)


def validate(options: Namespace, console: Console) -> int:
    """Call `validate` once."""
    return _once("validate", options, console)


def _once(name: str, options: Namespace, console: Console) -> int:
    """Call an entry point as a node calls it, and look at what it leaves as a run would."""
    source = Path(options.package).expanduser()
    found = read_package(source)
    command, helper = found.spec.command(name), find_helper(found.sources())
    model, target = _input(options.input), _output(options.output)
    variables = dict(options.e or [])
    with tempfile.TemporaryDirectory(prefix="manta-nb-fedn-") as folder:
        data = _data(options.data, source, console)
        copy = WorkCopy.prepare(
            Path(folder), found.checksum, lambda: found.content, settings=found.settings, data=data
        )
        caller = Caller(copy.folder, variables, cold=True, real_fedn=options.real_fedn)
        with copy.paths(1, name) as (model_in, out):
            _copy_model(model, model_in)
            outcome = caller.call(name, command, (str(model_in), str(out)), None, _emitter(console))
            for note in caller.notes():
                console.say(note)
            if words_left_over(outcome):
                console.say(one_line(f"{name} did its work, and ended with: {last_words(outcome.tail)}"))
            elif outcome.exit_code:
                return _failed(name, found, outcome, console)
            try:
                _check(name, helper, model_in, out)
            except PackageError as error:
                console.say(one_line(f"{name} ended well, but a run could not use it: {error}"))
                return FAILED
            _deliver(out, target)
    console.say(f"{name} took {outcome.seconds:.1f} s and wrote {target}")
    return 0


def _input(word: str) -> Path:
    path = Path(word).expanduser()
    if not path.is_file():
        raise UsageError(one_line(f"--input: there is no file {shorten(word, 120)}"))
    return path.absolute()


def _output(word: str) -> Path:
    path = Path(word).expanduser().absolute()
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(
            one_line(f"--output: {shorten(word, 120)} cannot be written: name a file in a folder that exists")
        )
    return path


def _data(word: str | None, source: Path, console: Console) -> Path | None:
    """What `../data` shall be: the folder that was named, else the one that lies beside the package already."""
    if word is not None:
        return Path(word).expanduser().absolute()
    beside = source.resolve().parent / "data"
    if source.is_dir() and beside.is_dir():
        console.say(f"../data is {shorten(str(beside), 120)}; --data FOLDER gives another one")
        return beside
    return None


def _copy_model(model: Path, model_in: Path) -> None:
    """The model as the program finds it, with settings beside it: those of the file, else none."""
    shutil.copyfile(model, model_in)
    settings, beside = Path(f"{model}-metadata"), Path(f"{model_in}-metadata")
    if settings.is_file():
        shutil.copyfile(settings, beside)
    else:
        beside.write_text(json.dumps({}), encoding="utf-8")


def _failed(name: str, found: Package, outcome: Outcome, console: Console) -> int:
    """The exit code of the program, and a word about it."""
    missing = missing_in_tail(outcome.tail, [*found.sources()])
    last = missing or last_words(outcome.tail) or "it printed nothing"
    console.say(one_line(f"{name} ended with exit code {outcome.exit_code}: {last}"))
    return outcome.exit_code if outcome.exit_code > 0 else BY_SIGNAL - outcome.exit_code


def _check(name: str, helper: str, model_in: Path, out: Path) -> None:
    """Raise what a run would fail for."""
    if name == "validate":
        read_metrics(out)
        return
    if not out.is_file() or not out.stat().st_size:
        raise PackageError("train wrote no model: helper.save(weights, out_path)")
    check_like(load_model(out, helper), load_model(model_in, helper), "the model that train wrote")
    read_metadata(out)


def _deliver(out: Path, target: Path) -> None:
    """Put what the program wrote where it was asked for."""
    for suffix in ("", "-metadata"):
        if (made := Path(f"{out}{suffix}")).is_file():
            shutil.copyfile(made, f"{target}{suffix}")


def _emitter(console: Console) -> Callable[[str, str], None]:
    """Hands on each line to the stream that the program wrote it to."""
    return lambda level, line: console.give(line) if level == "stdout" else console.say(line)


def package(options: Namespace, console: Console) -> int:
    """Make an archive of a package."""
    target = Path(options.output)
    checksum = create_package(Path(options.folder), target)
    console.say(f"{target.absolute()} · sha256")
    console.give(checksum)
    return 0


def execute(options: Namespace, console: Console) -> int:
    """Become a program in this folder, with the environment of an entry point; returns only where it cannot start.

    It has this process's input, output, terminal and signals, as there is no other process.
    """
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise UsageError(
            "manta-nb fedn exec needs a program: manta-nb fedn exec -- python entrypoint.py train in out"
        )
    environment = program_environment(os.environ, {}, sys.executable)
    # Python ignores it, and the program would, too
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    error = _become(words, environment)
    if isinstance(error, FileNotFoundError) and (mapped := _mapped(words, environment)):
        error = _become(mapped, environment)
    console.say(one_line(f"error: {shorten(words[0], 80)} cannot be started: {error.strerror}"))
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED


def _become(words: Sequence[str], environment: Mapping[str, str]) -> OSError:
    try:
        os.execvpe(words[0], [*words], dict(environment))  # noqa: S606 - as its user typed it, by no shell
    except OSError as error:
        return error


def _mapped(words: Sequence[str], environment: Mapping[str, str]) -> Sequence[str] | None:
    """The words with the Python that is here, where they name one that is not: `/venv/bin/python entrypoint …`."""
    call = Call("exec", shlex.join(words), (), Path.cwd(), environment, sys.executable)
    with suppress(UnicodeError):
        return expand(call).argv
    return None
