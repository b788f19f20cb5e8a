"""What the command of an entry point starts: the words a shell would make, and the node's own Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from manta_nb.compat.fedn.programs.calls import Call
from manta_nb.compat.fedn.programs.commands import expand, shell_argv

PRINT_WORDS = "import json, sys\nprint(json.dumps(sys.argv))\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working copy whose path has a blank."""
    made = tmp_path / "a copy"
    made.mkdir()
    for name in ("entrypoint.py", "train.py", "entrypoint"):
        (made / name).write_text(PRINT_WORDS, encoding="utf-8")
    return made


def call(
    command: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = ("IN.npz", "OUT.npz"),
    name: str = "train",
) -> Call:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody", **(variables or {})}
    return Call(name, command, arguments, folder, environment, sys.executable)


def script(path: Path, first_line: str) -> Path:
    path.write_text(f"{first_line}\n{PRINT_WORDS}", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_paths_are_appended(folder: Path) -> None:
    """As FEDn does it: `python train.py` is called with IN and OUT."""
    found = expand(call("python train.py", folder))

    assert found.argv == (sys.executable, "train.py", "IN.npz", "OUT.npz")
    assert found.program is not None
    assert (found.program.script, found.program.args) == ("train.py", ("IN.npz", "OUT.npz"))


@pytest.mark.parametrize(
    ("command", "variables", "words"),
    [
        # the order the tutorial promises: in, out, options
        ("python entrypoint.py <args>", {}, ["entrypoint.py", "train", "IN.npz", "OUT.npz"]),
        (
            "python entrypoint.py <args>",
            {"ENTRYPOINT_OPTS": "--lr=0.1"},
            ["entrypoint.py", "train", "IN.npz", "OUT.npz", "--lr=0.1"],
        ),
        # a name that is said is not said twice, nor are options
        ("python entrypoint.py train <args>", {}, ["entrypoint.py", "train", "IN.npz", "OUT.npz"]),
        ("python train.py <args>", {}, ["train.py", "IN.npz", "OUT.npz"]),
        (
            "python entrypoint.py $ENTRYPOINT_OPTS <args>",
            {"ENTRYPOINT_OPTS": "-q"},
            ["entrypoint.py", "-q", "train", "IN.npz", "OUT.npz"],
        ),
    ],
)
def test_the_tutorials_shorthand(
    command: str, variables: dict[str, str], words: list[str], folder: Path
) -> None:
    """`<args>` would be a redirection to a shell: it stands for the entry point, the paths and the node's options."""
    assert expand(call(command, folder, variables)).argv == (sys.executable, *words)


def test_options_of_the_node_come_before_the_paths(folder: Path) -> None:
    """Where the command says so: the order of FEDn 0.6–0.8, blanks dividing the variable as in a shell."""
    variables = {"ENTRYPOINT_OPTS": " --data_path=/x/y.pt   --lr=0.1 "}

    found = expand(call("/venv/bin/python entrypoint train $ENTRYPOINT_OPTS", folder, variables))

    expected = ("entrypoint", "train", "--data_path=/x/y.pt", "--lr=0.1", "IN.npz", "OUT.npz")
    assert found.argv == (sys.executable, *expected)
    assert found.notes == (f"/venv/bin/python is not on this node: {sys.executable} takes its place",)


@pytest.mark.parametrize(
    "words",
    [
        "'a b' \"c d\" e\\ f",
        "$EMPTY x ${FULL} \"$FULL\" '$FULL'",
        "*.py ~ ~/x [et]rain.py no-*-match",
        "{a,b}.txt ${UNSET:-default} --x=~/y",
        "$GLOB \"$GLOB\" 'it'\\''s'",
        "--pattern='a;b|c>d' \"x & y\"",
    ],
)
def test_words_are_those_a_shell_makes(words: str, folder: Path) -> None:
    """Quotes, variables, patterns, `~`: the same list as bash hands to the program itself."""
    variables = {"FULL": "one  two", "EMPTY": "", "GLOB": "*.py"}
    given = call(f"python entrypoint.py {words}", folder, variables, ("in put.npz", "o'ut\"$HOME`.npz"))
    done = subprocess.run(
        ["/bin/bash", "-c", f'printf "%s\\n" {words} "$@"', "bash", *given.arguments],
        cwd=folder, env=dict(given.environment), capture_output=True, text=True, check=True,
    )  # fmt: skip

    found = expand(given)

    assert found.argv == (sys.executable, "entrypoint.py", *done.stdout.splitlines())
    assert found.program is not None


@pytest.mark.parametrize(
    ("command", "flags", "target", "more"),
    [
        ("python -u train.py", ("-u",), "train.py", ()),
        (
            "python3 -W ignore -X dev -OO train.py -m x",
            ("-W", "ignore", "-X", "dev", "-OO"),
            "train.py",
            ("-m", "x"),
        ),
        ("python -Wignore -uX dev train.py", ("-Wignore", "-uX", "dev"), "train.py", ()),
        ("python -m package.train --x", (), "-m package.train", ("--x",)),
        ("python -um package.train", ("-u",), "-m package.train", ()),
        ("python -mtrain", (), "-m train", ()),
    ],
)
def test_options_of_python_itself(
    command: str, flags: tuple[str, ...], target: str, more: tuple[str, ...], folder: Path
) -> None:
    """Those of the interpreter are told from those of the program."""
    program = expand(call(command, folder)).program

    assert program is not None
    assert (program.flags, program.args) == (flags, (*more, "IN.npz", "OUT.npz"))
    assert target == (program.script or f"-m {program.module}")


@pytest.mark.parametrize(
    "command", ["python -c 'print(1)'", "python -", "python -i train.py", "python --version"]
)
def test_python_without_a_script_is_started_as_it_is(command: str, folder: Path) -> None:
    """It has its exact words, and is no program that could be run otherwise."""
    found = expand(call(command, folder))

    assert found.argv is not None
    assert found.argv[0] == sys.executable
    assert found.program is None
    assert found.why


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("cd src && python train.py", "it has '&'"),
        ("python train.py; true", "it has ';'"),
        ("python train.py | cat", "it has '|'"),
        ("python train.py > log.txt", "it has '>'"),
        ("python train.py < x", "it has '<'"),
        ("(python train.py)", "it has '('"),
        ("python train.py\npython train.py", "it has '\\n'"),
        ("LR=1 python train.py", "it sets variables"),
        ("python train.py $(hostname)", "it runs commands for their output"),
        ('python train.py "`hostname`"', "it runs commands for their output"),
        ("Rscript train.R", "Rscript is no Python program"),
        ("sh train.sh", "sh is no Python program"),
        ("python train.py ${UNSET:?there is none}", "a shell could not expand it"),
        ("python 'train.py", "a shell could not expand it"),
    ],
)
def test_what_only_a_shell_can_do(command: str, why: str, folder: Path) -> None:
    """It says why; what is within quotes does not count."""
    found = expand(call(command, folder))

    assert (found.argv, found.program, found.why) == (None, None, why)


def test_a_shell_gets_the_paths_as_arguments(folder: Path) -> None:
    """Never as part of its text: blanks and quotes in them mean nothing."""
    arguments = ("in put.npz", "$(touch evil)\"'.npz")

    argv = shell_argv(call("cd . && printf '%s|'", folder, arguments=arguments))

    assert [argv[0].rpartition("/")[2], *argv[1:]] == [
        "bash",
        "-c",
        "cd . && printf '%s|' \"$@\"",
        "bash",
        *arguments,
    ]
    assert (
        subprocess.run(argv, cwd=folder, capture_output=True, check=True).stdout
        == "|".join([*arguments, ""]).encode()
    )
    assert not (folder / "evil").exists()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("cd src && /venv/bin/python x.py", 'cd src && python x.py "$@"'),
        ("nohup ./.mnist/bin/python3 x.py; true", 'nohup python x.py; true "$@"'),
        ("sh -c '/opt/none/bin/python3.8 x.py' && true", "sh -c 'python x.py' && true \"$@\""),
        ("source /venv/bin/activate && python x.py", 'true && python x.py "$@"'),
        ("cd . && python3.0 x.py", 'cd . && python x.py "$@"'),
        # what the command makes itself is there when it is called
        ("python -m venv .e && .e/bin/python x.py", 'python -m venv .e && .e/bin/python x.py "$@"'),
        ("cd made && env/bin/python x.py", 'cd made && env/bin/python x.py "$@"'),
        ('cd . && "$VENV"/bin/python x.py', 'cd . && "$VENV"/bin/python x.py "$@"'),
        ("cd . && ./run.sh out/python x/bin/python.txt", 'cd . && ./run.sh out/python x/bin/python.txt "$@"'),
    ],
)
def test_pythons_that_are_not_there_within_a_longer_command(command: str, text: str, folder: Path) -> None:
    """They become `python`, which the node's PATH has first; one that is there, or will be, stays."""
    there = folder / "made" / "env" / "bin" / "python"
    there.parent.mkdir(parents=True)
    script(there, "#!/bin/sh")

    assert text == shell_argv(call(command, folder))[2]


def test_which_python_takes_the_place_of_which_is_said(folder: Path) -> None:
    """Once for each: plain `python` as well; the interpreter's own path needs no words."""
    assert expand(call("python train.py", folder)).notes == (f"python means {sys.executable}",)
    assert expand(call("cd . && python3 train.py", folder)).notes == (f"python means {sys.executable}",)
    assert expand(call("cd . && /venv/bin/python x", folder)).notes == (
        f"/venv/bin/python is not on this node: {sys.executable} takes its place",
    )
    assert expand(call(f"{sys.executable} train.py", folder)).notes == ()


@pytest.mark.parametrize(
    "first_line", ["#!./.mnist/bin/python", "#!/usr/bin/env python3", "#!/opt/none/python -u\r"]
)
def test_a_script_whose_python_is_not_there_gets_the_nodes(first_line: str, folder: Path) -> None:
    """`./entrypoint train` with the first line of an environment that was the author's, executable or not."""
    script(folder / "entrypoint", first_line).chmod(0o644)

    program = expand(call("./entrypoint train", folder)).program

    assert program is not None
    assert program.flags == (("-u",) if "-u" in first_line else ())
    assert (program.script, program.args) == ("./entrypoint", ("train", "IN.npz", "OUT.npz"))


def test_a_python_that_is_there_is_used(folder: Path) -> None:
    """The package's own environment is its own affair."""
    (folder / "bin").mkdir()
    script(folder / "bin" / "python", "#!/bin/sh")
    script(folder / "entrypoint", "#!./bin/python")

    assert expand(call("bin/python train.py", folder)).why == "bin/python is a Python of its own"
    assert "has a Python of its own" in expand(call("./entrypoint", folder)).why
    assert shell_argv(call("bin/python train.py", folder))[2] == 'bin/python train.py "$@"'


def test_a_file_named_alone_is_the_packages_script(folder: Path) -> None:
    """A published package says `startup: train.py`, and a shell would look for that on its path."""
    found = expand(call("train.py", folder, arguments=(), name="startup"))

    assert found.argv == (sys.executable, "./train.py")


def test_a_script_at_the_top_of_an_image_is_the_packages_own(folder: Path) -> None:
    """`python3 /entrypoint`, as an image has it."""
    found = expand(call("python3 /entrypoint train", folder))

    assert found.argv == (sys.executable, "entrypoint", "train", "IN.npz", "OUT.npz")
    assert "/entrypoint is not on this node: entrypoint of the package takes its place" in found.notes


def test_an_absolute_file_that_is_nowhere_stays_as_it_is(folder: Path) -> None:
    """Python itself says best that it is not there."""
    found = expand(call("python /nowhere/other.py", folder))

    assert found.argv == (sys.executable, "/nowhere/other.py", "IN.npz", "OUT.npz")
