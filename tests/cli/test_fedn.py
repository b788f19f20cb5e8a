"""`manta-nb fedn train|validate|package|exec`, and mistakes that no node is started for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from manta_nb.cli.grammar_fedn import FEDN_COMMANDS
from manta_nb.cli.main import main
from manta_nb.compat.fedn.package.archive import read_package
from manta_nb.shims.fedn.utils.checksum import sha
from tests.cli.fakes import Streams
from tests.compat.fedn.packages import packed, write_package
from tests.fedn.packages import PACKAGES, client
from tests.waiting import until

FEDN = [sys.executable, "-m", "manta_nb", "fedn"]
TRAIN = "entry_points:\n  train:\n    command: python train.py\n"
ZEROS = PACKAGES / "zeros.npz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the first model of the package `good`."""
    monkeypatch.chdir(tmp_path)
    np.savez("seed.npz", **{"0": np.zeros(3, np.float32), "1": np.array(0)})
    return tmp_path


def typed(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, data and talk of `manta-nb fedn` with these words."""
    streams = Streams()
    code = main(["fedn", *map(str, words)], streams.console)
    return code, streams.out, streams.err


def test_the_group_lists_its_commands() -> None:
    """`manta-nb fedn` alone is a list of them; so is its help."""
    code, out, _ = typed()

    assert code == 0 and all(
        f"{verb.name} " in out and verb.summary in out for verb in FEDN_COMMANDS.values()
    )
    assert typed("--help")[1] == out


@pytest.mark.parametrize("name", FEDN_COMMANDS)
def test_help_lists_every_option(name: str) -> None:
    """Each with its default, and an example at the end; nothing runs."""
    code, out, _ = typed(name, "--help")

    assert code == 0 and out.endswith(f"{FEDN_COMMANDS[name].example}\n")
    for option in FEDN_COMMANDS[name].options:
        assert f"  {option.name}" in out and (option.required or option.default_words() in out)


MISTAKES = [
    ("rum good", "manta-nb fedn has no rum (did you mean run?)"),
    ("run", "needs PACKAGE"),
    ("run good --round 3", "no option --round (did you mean --rounds?)"),
    ("run good --rounds 0", "--rounds must be a whole number ≥ 1, got 0"),
    ("run good --timeout -1", "--timeout must be a finite number > 0, got -1"),
    ("run good --aggregator fedprox", "--aggregator must be fedavg or fedopt, got fedprox"),
    ("run good --aggregator-kwargs {", "--aggregator-kwargs is not JSON"),
    ("run good --aggregator-kwargs []", "--aggregator-kwargs is an object such as"),
    ("run good --aggregator fedopt --aggregator-kwargs {\"lr\":1}", "fedopt has no option 'lr'"),
    ("run good --python-env conda", "--python-env must be ambient or venv, got conda"),
    ("run good --server-functions none.py", "--server-functions: cannot read none.py"),
    ("run good --model /proc/no/model.npz", "--model: /proc/no/model.npz cannot be written"),
    ("run good --model .", "--model: . cannot be written: name a file"),
    ("run nowhere.tgz", "there is no package at nowhere.tgz"),
    ("train good", "manta-nb fedn train needs --input"),
    ("train good --input seed.npz", "manta-nb fedn train needs --output"),
    ("train good --input no.npz --output o.npz", "--input: there is no file no.npz"),
    ("train good --input seed.npz --output no/o.npz", "--output: no/o.npz cannot be written"),
    ("train good --input seed.npz --output o.npz -e X", "-e takes NAME=VALUE, got X"),
    ("train good --input seed.npz --output o.npz --data no", "there is no data at"),
    ("package nowhere", "nowhere is no folder: give the one with fedn.yaml"),
    ("package good --output no/p.tgz", "no/p.tgz cannot be written"),
    ("exec", "needs a program: manta-nb fedn exec -- python"),
    ("exec --", "needs a program: manta-nb fedn exec -- python"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), MISTAKES)
def test_a_mistake_is_one_line(folder: Path, line: str, told: str) -> None:
    """Exit code 2, nothing on stdout, and as the last line what is wrong and what to type."""
    shutil.copytree(client("good"), folder / "good")
    code, out, err = typed(*line.split())
    last = err.splitlines()[-1]

    assert (code, out) == (2, "")
    assert told in last and last.startswith("error: ") and len(last) <= 207 and "Traceback" not in err


def test_train_and_validate_leave_what_a_node_takes(folder: Path) -> None:
    """Paths are meant from where one stands; output is shown, and what is written is where it was asked for."""
    code, out, err = typed(
        "train", client("good"), "--input", "seed.npz", "--output", "up.npz", "-e", "TARGET=4"
    )
    validated = typed(
        "validate", client("good"), "--input", "up.npz", "--output", "v.json", "-e", "TARGET=4"
    )[0]

    assert (code, validated) == (0, 0), err
    assert out == "Loss: 4.0\n" and f"wrote {folder / 'up.npz'}" in err
    assert np.load("up.npz")["0"].tolist() == [2, 2, 2]
    assert json.loads(Path("up.npz-metadata").read_text()) == {"num_examples": 10, "target": 4.0}
    assert json.loads(Path("v.json").read_text())["error"] == 2.0


def test_a_package_in_an_archive_is_tried_alike(folder: Path) -> None:
    """As a node gets it; what was there before the call is as it was."""
    archive = packed("tutorial's tgz", client("good"), folder / "out")
    code, _, err = typed("train", archive, "--input", "seed.npz", "--output", "up.npz")

    assert code == 0, err
    assert {path.name for path in folder.iterdir()} == {"out", "seed.npz", "up.npz", "up.npz-metadata"}
    assert [path.name for path in archive.parent.iterdir()] == ["a.tgz"]


@pytest.mark.parametrize(
    ("given", "read"), [(None, "{}"), ('{"learning_rate": 0.5}', '{"learning_rate": 0.5}')]
)
def test_settings_beside_the_model(folder: Path, given: str | None, read: str) -> None:
    """`load_metadata` finds those beside the file, else none; none are written beside the person's file."""
    package = write_package(
        folder / "p",
        {"fedn.yaml": TRAIN, "train.py": "import sys\nprint(open(sys.argv[1] + '-metadata').read())"},
    )
    if given is not None:
        Path("seed.npz-metadata").write_text(given)
    _, out, _ = typed("train", package, "--input", "seed.npz", "--output", "up.npz")

    assert out == f"{read}\n"
    assert Path("seed.npz-metadata").exists() == (given is not None)


def test_data_are_beside_the_copy(folder: Path) -> None:
    """`../data` is the folder that was named, else the one that lies beside the package."""
    program = "print(open('../data/who').read())"
    package = write_package(folder / "project/client", {"fedn.yaml": TRAIN, "train.py": program})
    for place in ("project/data", "other"):
        (folder / place).mkdir()
        (folder / place / "who").write_text(place)
    words = ("train", package, "--input", "seed.npz", "--output", "up.npz")

    assert typed(*words)[1] == "project/data\n"
    assert typed(*words, "--data", "other")[1] == "other\n"


@pytest.mark.parametrize(
    ("how", "code", "told"),
    [
        ("exit", 3, "train ended with exit code 3: the scales are broken"),
        ("crash", 134, "train ended with exit code -6"),
        ("nometa", 1, "train wrote no metadata"),
        ("nomodel", 1, "train wrote no model"),
        ("shape", 1, "array 0 has shape"),
        ("noexamples", 1, "no num_examples"),
    ],
)
def test_the_exit_code_says_whether_a_run_could_use_it(folder: Path, how: str, code: int, told: str) -> None:
    """It is the program's, as shells say it; 1 where what it left is of no use. Nothing is left then."""
    words = ("train", client("failing"), "--input", ZEROS, "--output", "up.npz", "-e", f"FAIL={how}")
    ended, out, err = typed(*words)

    assert ended == code and told in err.splitlines()[-1] and "to fail by" in out
    assert [path.name for path in folder.iterdir()] == ["seed.npz"]


def test_a_missing_module_names_the_pip_command(folder: Path) -> None:
    """In one line, below the program's own traceback."""
    package = write_package(folder / "p", {"fedn.yaml": TRAIN, "train.py": "import sklaern_not_there"})
    code, _, err = typed("train", package, "--input", "seed.npz", "--output", "up.npz")

    assert code == 1
    assert err.splitlines()[-1].endswith("sklaern_not_there is not installed: pip install sklaern_not_there")


def test_metrics_that_are_no_json(folder: Path) -> None:
    """Are said, and not written."""
    words = (
        "validate",
        client("failing"),
        "--input",
        ZEROS,
        "--output",
        "v.json",
        "-e",
        "FAIL_VALIDATE=badjson",
    )
    code, _, err = typed(*words)

    assert code == 1 and "is not JSON" in err.splitlines()[-1] and not Path("v.json").exists()


def test_ctrl_c_ends_a_call(folder: Path) -> None:
    """130, in one word; neither the program nor its folder is left."""
    words = [
        *FEDN,
        "train",
        str(client("failing")),
        "--input",
        str(ZEROS),
        "--output",
        "up.npz",
        "-e",
        "FAIL=sleep",
    ]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    assert process.stdout is not None and "to fail by: sleep" in process.stdout.readline()
    programs = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=20)[1]

    assert (process.returncode, err.splitlines()[-1]) == (130, "interrupted") and "Traceback" not in err
    until(lambda: not any(each.is_running() and each.status() != "zombie" for each in programs), 5)
    assert [path.name for path in folder.iterdir()] == ["seed.npz"]


def test_package_makes_what_run_takes(folder: Path) -> None:
    """The same folder makes the same bytes; stdout has the checksum that `--checksum` compares."""
    code, out, err = typed("package", client("good"), "--output", "p.tgz")
    again = typed("package", client("good"), "--output", "q.tgz")[1]

    assert code == 0 and str(folder / "p.tgz") in err
    assert out == again == f"{sha('p.tgz')}\n"
    assert read_package("p.tgz", out.strip()).spec.command("train") == "python train.py"


def executed(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """`manta-nb fedn exec` with these words, as a program of its own."""
    return subprocess.run(
        [*FEDN, "exec", *words], capture_output=True, text=True, timeout=50, check=False, **options
    )  # type: ignore[call-overload, no-any-return]


def test_a_program_is_tried_as_the_tutorial_says(folder: Path) -> None:
    """`python train.py ../seed.npz ../update.npz` in the folder of the package: our `fedn`, paths from there."""
    package = shutil.copytree(client("good"), folder / "client")
    done = executed("--", "python", "train.py", "../seed.npz", "../up date.npz", cwd=package)

    assert (done.returncode, done.stdout, done.stderr) == (0, "Loss: 1.0\n", "")
    assert (folder / "up date.npz-metadata").is_file()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["python", "-c", "import sys; sys.exit(7)"], 7),
        (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
        (["--", "/venv/bin/python", "-c", "import fedn.utils.helpers.helpers"], 0),
        (["no-such-program"], 127),
        (["/"], 126),
    ],
)
def test_the_exit_code_is_the_programs(words: list[str], code: int) -> None:
    """Signals included; a Python of FEDn's images is the one that is here; what cannot start is one line."""
    done = executed(*words)

    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == (code in (126, 127))


def test_a_program_has_input_and_output() -> None:
    """Its stdin, stdout and stderr are those of the command, and options are its own: `--help` is the program's."""
    done = executed("python", "-c", "import sys; print(sys.stdin.read(), sys.argv[1:])", "--help", input="in")

    assert (done.stdout, done.stderr) == ("in ['--help']\n", "")


def test_ctrl_c_reaches_the_program() -> None:
    """It is the program that is interrupted, in its own way."""
    text = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    process = subprocess.Popen([*FEDN, "exec", "python", "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 9
