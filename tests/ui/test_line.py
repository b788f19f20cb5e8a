"""Comments, quotes, and the variables of the notebook on a magic line."""

from __future__ import annotations

import pytest

from manta_nb.errors import UsageError
from manta_nb.ui.line import split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--nodes 8      # eight of them", ["--nodes", "8"]),
        ("# all a comment", []),
        ("--data a#b.npz", ["--data", "a#b.npz"]),
        ("--data 'my # file.csv' # it's here", ["--data", "my # file.csv"]),
        ('--data "Élève_1"', ["--data", "Élève_1"]),
        (r"--data C:\data\x.csv", ["--data", r"C:\data\x.csv"]),
    ],
)
def test_a_comment_is_dropped_outside_quotes(line: str, words: list[str]) -> None:
    """` # …` ends the line, unless it is inside quotes or inside a word."""
    assert split(line) == words


def test_variables_are_put_in() -> None:
    """`{name}`, `$name` and expressions are replaced, as on every magic line of IPython."""
    assert split("fl --iterations {rounds} --seed $s --x {rounds * 2}", {"rounds": 5, "s": 7}) == [
        "fl",
        "--iterations",
        "5",
        "--seed",
        "7",
        "--x",
        "10",
    ]


@pytest.mark.parametrize("written", ["--data $x", "--data {x}", "--data=$x", "--data part=$x"])
def test_arrays_after_data_stay_a_reference(written: str) -> None:
    """The text of an array would be of no use: the name is kept for the object to be looked up."""
    assert split(written, {"x": {"x": [1, 2]}})[-1].endswith("$x")


def test_a_text_after_data_is_put_in() -> None:
    """A variable that holds a name or a path is expanded like any other."""
    assert split("--data $where", {"where": "digits"}) == ["--data", "digits"]


def test_an_unknown_variable_is_named() -> None:
    """`--iterations {rond}` says which name is missing and which one was probably meant."""
    with pytest.raises(
        UsageError, match=r"\{rond\} on the line: rond is not defined .*did you mean 'rounds'"
    ):
        split("--iterations {rond}", {"rounds": 3})


def test_a_quote_left_open_is_shown() -> None:
    """The place of the open quote and the character to add are in the message."""
    with pytest.raises(UsageError, match='a quote is left open at "digits'):
        split('--data "digits --nodes 8')
