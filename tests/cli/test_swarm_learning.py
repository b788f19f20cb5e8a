"""`manta-nb swarm-learning`: its help, and mistakes that no node is started for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from manta_nb.cli.grammar import GROUPS, overview
from manta_nb.cli.grammar_swarm_learning import SCRIPT_COMMANDS
from manta_nb.cli.main import main
from tests.cli.fakes import Streams


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a script and a folder of data."""
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("print('trained')\n")
    for index in range(3):
        (tmp_path / "shares" / f"node_{index}").mkdir(parents=True)
    Path("env.json").write_text(json.dumps({"node_0": {"A": ["no", "text"]}}))
    return tmp_path


def typed(*words: str) -> tuple[int, str, str]:
    """Exit code, data and talk of `manta-nb swarm-learning` with these words."""
    streams = Streams()
    code = main(["swarm-learning", *words], streams.console)
    return code, streams.out, streams.err


def test_the_command_is_listed() -> None:
    """By `manta-nb`, and by `manta-nb swarm-learning` alone."""
    code, out, _ = typed()

    assert code == 0 and all(verb.name in out for verb in SCRIPT_COMMANDS.values())
    assert "manta-nb swarm-learning run" in overview() and GROUPS["swarm-learning"] == SCRIPT_COMMANDS


def test_help_lists_every_option() -> None:
    """Each with its default, and an example at the end; nothing runs."""
    code, out, _ = typed("run", "--help")
    verb = SCRIPT_COMMANDS["run"]

    assert code == 0 and out.endswith(f"{verb.example}\n")
    for option in verb.options:
        assert f"  {option.name}" in out and (option.required or option.default_words() in out)


def test_help_loads_nothing_heavy() -> None:
    """It answers at once."""
    code = (
        "import sys; from manta_nb.cli.main import main; main(['swarm-learning', 'run', '--help']);"
        "print([name for name in ('dask', 'IPython', 'torch', 'numpy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "[]"


MISTAKES = [
    ("rum train.py", "manta-nb swarm-learning has no rum (did you mean run?)"),
    ("run", "manta-nb swarm-learning run needs SCRIPT"),
    ("run no.py", "there is no script no.py: name a .py file"),
    ("run .", "there is no script .: name a .py file"),
    ("run train.py --node 3", "no option --node (did you mean --nodes?)"),
    ("run train.py --min-peers many", "--min-peers must be a whole number ≥ 1, got many"),
    ("run train.py --nodes 2 --min-peers 3", "min_peers=3, but there are 2 nodes: lower it, or give nodes=3"),
    ("run train.py --env MAX_EPOCHS", "--env takes NAME=VALUE, got MAX_EPOCHS"),
    ("run train.py --env", "--env needs a value, such as --env MAX_EPOCHS=5"),
    ("run train.py --node-env env.json", "node_env: A of node_0 must be a text or a number, got ['no', 'text']"),
    ("run train.py --patience nan", "--patience must be a number of seconds ≥ 0, got nan"),
    ("run train.py --merge geomedia", "no merge method 'geomedia' (did you mean 'geomedian'?)"),
    ("run train.py --evaluate train.py", "evaluate is FILE.py:function(model_dir, data_dir), got train.py"),
    ("run train.py --model-dir no", "--model-dir no is no folder"),
    ("run train.py --data nowhere", "nowhere"),
    ("run train.py --nodes 4 --data shares", "4 nodes asked, shares has 3"),
    ("run train.py other.py", "takes SCRIPT only, got also other.py"),
    ("run train.py --compare=all", "--compare takes no value, got all: write --compare"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), MISTAKES)
def test_a_mistake_is_one_line(line: str, told: str) -> None:
    """Exit code 2, nothing on stdout, and as the last line what is wrong and what to type."""
    code, out, err = typed(*line.split())
    last = err.splitlines()[-1]

    assert (code, out) == (2, "")
    assert told in last and last.startswith("error: ") and len(last) <= 207 and "Traceback" not in err
