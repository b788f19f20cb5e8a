"""The commands `manta-nb fedn …` as tables."""

from __future__ import annotations

from manta_nb.ui import values
from manta_nb.ui.grammar_fedn import PACKAGE, PACKAGE_OPTIONS
from manta_nb.ui.parser import Option, Verb

__all__ = ["FEDN_COMMANDS"]

_ENVIRONMENT = Option(
    "-e",
    "a variable of the program; may be given several times",
    "NAME=VALUE",
    values.variable,
    sample="ENTRYPOINT_OPTS=--lr=0.1",
    repeat=True,
)
_BESIDE = Option(
    "--data",
    "what the program finds in ../data",
    "FOLDER",
    default_text="the folder data beside the package, if there is one",
    sample="data",
)
_REAL = next(option for option in PACKAGE_OPTIONS if option.name == "--real-fedn")

_RUN = Verb(
    "manta-nb fedn run",
    "run a FEDn compute package on nodes of this machine",
    "manta-nb fedn run package.tgz --seed-model seed.npz --nodes 3 --rounds 6 --node-env env.json --json",
    (
        PACKAGE,
        *PACKAGE_OPTIONS,
        Option(
            "--model",
            "where the last model is written",
            "FILE",
            default_text="PACKAGE-model.npz",
            sample="model.npz",
        ),
        Option("--name", "the run's name", "NAME", default_text="the name of the package", sample="fl"),
        Option("--logs", "what the programs print, line by line, on stderr"),
        Option("--json", "one JSON object on stdout"),
    ),
    (
        "Each node works in a copy of the package of its own, with its data in ../data. Progress goes to stderr;",
        "stdout gets the last validations, or with --json one object: run_id, status, reason, rounds, model,",
        "validations (round, node, metrics), failures (round, node, entry_point, exit_code, message, tail).",
        "The first Ctrl-C stops the run and reports what it has; a second one kills it.",
        "manta-nb runs stop, resume, show and export work for these runs, too.",
        "exit codes: 0 done · 1 the run failed · 2 a mistake in what was typed · 130 interrupted",
    ),
)


def _one(name: str, does: str, out: str) -> Verb:
    return Verb(
        f"manta-nb fedn {name}",
        f"call the entry point {name} of a package once: {does}",
        f"manta-nb fedn {name} client --input seed.npz --output {out} --data data",
        (
            PACKAGE,
            Option("--input", "the model it reads", "FILE", required=True, sample="seed.npz"),
            Option("--output", "what it writes", "FILE", required=True, sample=out),
            _BESIDE,
            _ENVIRONMENT,
            _REAL,
        ),
        (
            "It works in a copy of the package that goes afterwards, and its output is shown as it comes.",
            "The exit code is that of the program; 1 where what it wrote is of no use to a run.",
        ),
    )


_PACKAGE = Verb(
    "manta-nb fedn package",
    "make an archive of a folder with fedn.yaml, and say its checksum",
    "manta-nb fedn package client --output package.tgz",
    (
        Option("FOLDER", "a folder with fedn.yaml", required=True),
        Option("--output", "the archive", "FILE", default="package.tgz", sample="package.tgz"),
    ),
    ("Files named in .fednignore are left out.",),
)

_EXEC = Verb(
    "manta-nb fedn exec",
    "run a program as an entry point is run: with manta_nb's fedn, in this folder",
    "manta-nb fedn exec -- python entrypoint.py train ../seed.npz ../update.npz --data_path ../data/mnist.npz",
    about=("All that follows is the program and its arguments; the exit code is the program's.",),
)

#: second word → command
FEDN_COMMANDS = {
    verb.name.split()[2]: verb
    for verb in (
        _RUN,
        _one("train", "an update from a model", "update.npz"),
        _one("validate", "metrics of a model", "metrics.json"),
        _PACKAGE,
        _EXEC,
    )
}
