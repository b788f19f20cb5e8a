"""What programs of a package leave behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.rounds.reports import (
    failure_line,
    numbers,
    read_failure,
    read_metadata,
    read_metrics,
    words_left_over,
)
from manta_nb.compat.processes.ending import last_words
from manta_nb.errors import PackageError


def metadata(folder: Path, text: str) -> Path:
    """The path of a model with that metadata beside it."""
    (folder / "out.npz-metadata").write_text(text)
    return folder / "out.npz"


@given(st.integers(-64, 255) | st.none(), st.text(st.characters(codec="utf-8")))
def test_a_failure_line_comes_back(code: int | None, message: str) -> None:
    """What is written to the log as a failure is read back as it was, whatever the message holds."""
    note = read_failure(failure_line("train", code, message))

    assert note is not None
    assert (note.entry_point, note.exit_code, note.message) == ("train", code, message)


def test_other_lines_are_no_failures() -> None:
    """A line that only looks like one is not taken for one."""
    lines = ["failed", "entry point failed", "entry point train failed (exit code x): a", "ERROR"]

    assert [read_failure(line) for line in lines] == [None] * len(lines)


def test_metadata_are_read(tmp_path: Path) -> None:
    """Whatever else they hold is kept, too."""
    found = read_metadata(metadata(tmp_path, json.dumps({"num_examples": 12, "lr": 0.1, "tags": ["a"]})))

    assert found == ({"num_examples": 12, "lr": 0.1, "tags": ["a"]}, 12)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{}", "num_examples"),
        ("[1]", "list"),
        ("{'num_examples': 1}", "not JSON"),
        ('{"num_examples": 0}', "above 0"),
        ('{"num_examples": -3}', "above 0"),
        ('{"num_examples": NaN}', "above 0"),
        ('{"num_examples": "many"}', "above 0"),
        ('{"num_examples": true}', "above 0"),
        ("[" * 100_000, "not JSON"),
        ("", "not JSON"),
    ],
)
def test_metadata_that_cannot_be_used(text: str, word: str, tmp_path: Path) -> None:
    """One line says what is wrong with them."""
    with pytest.raises(PackageError) as told:
        read_metadata(metadata(tmp_path, text))

    assert word in str(told.value) and len(str(told.value)) <= 200 and "\n" not in str(told.value)


def test_metadata_that_are_not_there(tmp_path: Path) -> None:
    """The line names the call that writes them."""
    with pytest.raises(PackageError, match="save_metadata"):
        read_metadata(tmp_path / "out.npz")


def test_metrics_are_any_json(tmp_path: Path) -> None:
    """Also with the bare NaN that Python writes."""
    (tmp_path / "out").write_text('{"loss": NaN, "by_class": [0.5, 1]}')
    report = read_metrics(tmp_path / "out")

    assert math.isnan(report["loss"]) and report["by_class"] == [0.5, 1]


@pytest.mark.parametrize(("text", "word"), [("", "wrote no metrics"), ("accuracy: 1", "not JSON")])
def test_metrics_that_cannot_be_used(text: str, word: str, tmp_path: Path) -> None:
    """One line says what is wrong with them."""
    (tmp_path / "out").write_text(text)

    with pytest.raises(PackageError, match=word):
        read_metrics(tmp_path / "out")


def test_numbers_of_a_report() -> None:
    """Those inside of lists and dicts are named by their path; texts count where they are numbers."""
    report = {"loss": 1, "by": {"class": [0.5, None]}, "ok": True, "text": "0.25", "name": "cnn"}

    assert dict(numbers(report)) == {"loss": 1.0, "by.class.0": 0.5, "ok": 1.0, "text": 0.25}
    assert dict(numbers(0.5)) == {"value": 0.5}


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (("Loss: 1", "ValueError: no such column", ""), "ValueError: no such column"),
        (
            ("ERROR: Could not consume arg: --lr=0.1", "Usage: entrypoint.py"),
            "ERROR: Could not consume arg: --lr=0.1",
        ),
        (("step 1", "step 2"), "step 2"),
        ((), ""),
    ],
)
def test_last_words(tail: tuple[str, ...], words: str) -> None:
    """Of what a program printed last, the line that says why it ended."""
    assert last_words(tail) == words


def test_words_that_fire_could_not_use() -> None:
    """They are told apart from every other failure."""
    line = "ERROR: Could not consume arg: --lr=0.1"

    assert words_left_over(Outcome(2, 0.1, (line, "Usage: …"), "cold"))
    assert not words_left_over(Outcome(1, 0.1, (line,), "cold"))
    assert not words_left_over(Outcome(2, 0.1, ("usage: train.py IN OUT",), "cold"))
