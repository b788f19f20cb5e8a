"""`manta-nb`: help, and mistakes that are one line."""

from __future__ import annotations

from pathlib import Path

import pytest

import manta_nb
from manta_nb.cli.grammar import COMMANDS
from manta_nb.cli.main import main
from manta_nb.data import BUNDLED
from tests.cli.fakes import Streams


def test_alone_it_shows_all_commands() -> None:
    """`manta-nb` is a help page with an example of each command."""
    streams = Streams()

    assert main([], streams.console) == 0
    assert all(verb.example in streams.out for verb in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_option(name: str) -> None:
    """Each with its default, and an example at the end; nothing runs."""
    streams = Streams()

    assert main([name, "--help"], streams.console) == 0
    for option in COMMANDS[name].options:
        assert f"  {option.name}" in streams.out
        assert option.help in streams.out and (option.required or option.default_words() in streams.out)
    assert streams.out.endswith(f"{COMMANDS[name].example}\n")


def test_help_names_every_bundled_dataset() -> None:
    """All that `--data` takes by name."""
    option = next(option for option in COMMANDS["run"].options if option.name == "--data")

    assert all(name in option.help for name in BUNDLED)


def test_version() -> None:
    """`--version` is the package's."""
    streams = Streams()

    assert main(["--version"], streams.console) == 0
    assert streams.out == f"manta-nb {manta_nb.__version__}\n"


MISTAKES = [
    ("rum swarm.py", "no command rum (did you mean run?)"),
    ("run", "needs SWARM"),
    ("run swarm.py --node 3", "no option --node (did you mean --nodes?)"),
    ("run swarm.py --nodes -3", "--nodes must be a whole number ≥ 1, got -3"),
    ("run swarm.py --alpha inf", "--alpha must be a finite number > 0, got inf"),
    ("run swarm.py --iterations 0", "--iterations must be a whole number ≥ 1 or forever, got 0"),
    ("run swarm.py --json yes", "got also yes"),
    ("run swarm.py", "nothing ends this swarm: give --iterations N"),
    ("run swam.py --iterations 1", "no swarm file swam.py (did you mean 'swarm.py'?)"),
    ("run swarm.py:Smal --iterations 1", "no swarm 'Smal' (did you mean 'Small'?)"),
    ("run swarm.py -p n=3 --iterations 1", "no parameter 'n'"),
    ("run swarm.py -p n_workers --iterations 1", "-p takes NAME=VALUE"),
    ("run swarm.py --data digit --iterations 1", "no dataset 'digit' (did you mean 'digits'?)"),
    ("run swarm.py --data nowhere/at/all --iterations 1", "there is no file or folder 'nowhere/at/all'"),
    ("run swarm.py --data digits --nodes 2000 --iterations 1", "2000"),
    ("run swarm.py --alpha 0.3 --partition iid --iterations 1", "alpha belongs to partition 'dirichlet'"),
]


@pytest.mark.parametrize(("line", "told"), MISTAKES)
def test_a_mistake_is_one_line(swarm: Path, line: str, told: str) -> None:
    """Exit code 2, nothing on stdout, and as the last line what is wrong and what to type."""
    streams = Streams()

    assert main(line.split(), streams.console) == 2
    last = streams.err.splitlines()[-1]
    assert told in last and last.startswith("error: ") and len(last) <= 207
    assert "Traceback" not in streams.err and streams.out == ""


def test_a_folder_with_too_few_nodes_is_a_mistake(swarm: Path, tmp_path: Path) -> None:
    """Asked for more nodes than the folder has, it names those it has."""
    for name in ("a", "b"):
        (tmp_path / "sites" / name).mkdir(parents=True)
    streams = Streams()

    assert (
        main(["run", "swarm.py", "--iterations", "1", "--data", "sites", "--nodes", "3"], streams.console)
        == 2
    )
    assert streams.err.splitlines()[-1] == "error: 3 nodes asked, sites has 2: a, b"
