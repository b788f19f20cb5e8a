"""What `fedn.yaml` says, in the grammar of every version, and what is said of one that cannot be used."""

from __future__ import annotations

import pytest

from manta_nb.compat.fedn.package.spec import parse_spec
from manta_nb.errors import PackageError

TUTORIAL = """\
entry_points:
    train:
        command: python entrypoint.py <args>
    validate:
        command: python entrypoint.py <args>
"""
LATER = """\
python_env: python_env.yaml

entry_points:
  build:
    command: python model.py
  startup:
    command: python data.py
  train:
    command: python train.py
    parameters: {lr: 0.1}
  predict:
author: somebody
"""


def test_the_tutorials_file_is_read() -> None:
    """Four blanks, no python_env: the file of the tutorial names its two commands."""
    spec = parse_spec(TUTORIAL)

    assert spec.entry_points == dict.fromkeys(["train", "validate"], "python entrypoint.py <args>")
    assert spec.python_env is None


def test_later_files_have_more_and_unknown_keys_are_passed_over() -> None:
    """`python_env`, `build` and `startup` are known; other keys, and an entry point without anything, mean nothing."""
    spec = parse_spec(LATER)

    assert spec.python_env == "python_env.yaml"
    assert list(spec.entry_points) == ["build", "startup", "train"]


def test_a_command_may_stand_where_its_entry_point_does() -> None:
    """A published package writes `startup: startup.py`: that is its command."""
    spec = parse_spec("entry_points:\n  train: python train.py\n")

    assert spec.command("train") == "python train.py"


@pytest.mark.parametrize(
    "text", ["|\n      python train.py\n", ">\n      python\n      train.py\n", "'python train.py '"]
)
def test_a_command_is_one_without_newlines_around_it(text: str) -> None:
    """A block of YAML ends in a newline, after which the paths would be a command of their own."""
    spec = parse_spec(f"entry_points:\n  train:\n    command: {text}")

    assert spec.command("train") == "python train.py"


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    """Files that Windows wrote begin with one."""
    assert parse_spec("\ufeff" + TUTORIAL).command("train")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "fedn.yaml is empty"),
        ("- train\n", "fedn.yaml is a list, not keys with values"),
        ("train: python x\n", "has no entry_points: it needs entry_points: train: command: python train.py"),
        ("entry_points: []\n", "has no entry_points"),
        ("entry_points:\n  build:\n    command: python x\n", "has no entry point train, only build"),
        ("entry_points:\n  train: {}\n", "the entry point train in fedn.yaml has no command: write command: python train.py"),
        ("entry_points:\n  train:\n    command: [python, x]\n", "is no text: ['python', 'x']; put it in quotes"),
        ("entry_points:\n  train:\n    command: 5\n", "is no text: 5"),
        ("entry_points:\n  train:\n    command: ''\n", "is no text"),
        ("entry_points:\n  train:\n    command: a: b\n", "fedn.yaml, line 3: mapping values are not allowed here"),
        ("entry_points:\n  train:\n\tcommand: x\n", "fedn.yaml, line 3:"),
        ("entry_points: !!python/object:os.system {}\n", "fedn.yaml, line 1:"),
        ("python_env: [x]\nentry_points:\n  train: x\n", "python_env in fedn.yaml must be the name of a file"),
        ("[" * 5000, "fedn.yaml"),
        ("x" * 1_000_001, "has 1,000,001 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_line(text: str, told: str) -> None:
    """The line names the file, what is wrong with it, and where there is one, the line."""
    with pytest.raises(PackageError) as caught:
        parse_spec(text)

    assert told in str(caught.value)
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


def test_an_unknown_entry_point_says_which_there_are() -> None:
    """With the one that was probably meant."""
    with pytest.raises(
        PackageError, match=r"no entry point 'validat': it has train, validate \(did you mean 'validate'"
    ):
        parse_spec(TUTORIAL).command("validat")


def test_aliases_are_refused() -> None:
    """A few lines of them would make gigabytes."""
    with pytest.raises(PackageError, match="aliases"):
        parse_spec("a: &a [x, x]\nentry_points:\n  train:\n    command: *a\n")
