"""Names are checked with a reason, ordered as people count, and guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.errors import DataError, DefinitionError, NodeError
from manta_nb.sdk.names import (
    check_dataset_name,
    check_name,
    check_node_id,
    did_you_mean,
    listed,
    natural_key,
    shorten,
)


@pytest.mark.parametrize("name", ["node_0", "Élève_1", "Sao Paulo 2", "日本", "a" * 100, ".x", "a=b"])
def test_good_node_names_come_back(name: str) -> None:
    """Accents, inner blanks and any script are welcome."""
    assert check_node_id(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it must be a name"),
        (".", "it must be a name"),
        ("..", "it must be a name"),
        ("a/b", "it holds '/'"),
        ("a\\b", "it holds '\\\\'"),
        ("a,b", "it holds ','"),
        ("a\nb", "it holds '\\n'"),
        ("a\0", "it holds '\\x00'"),
        ("\udcff", "it holds '\\udcff'"),
        ("a\u202eb", "it holds '\\u202e'"),
        (" a", "it begins or ends with a blank"),
        ("a" * 101, "it has 101 characters, 100 at most"),
        ("🐟" * 100, "it takes 400 bytes, 255 at most"),
    ],
)
def test_bad_node_names_say_why(name: str, reason: str) -> None:
    """A name that cannot be a folder everywhere is refused with the reason, in one short line."""
    with pytest.raises(NodeError) as caught:
        check_node_id(name)

    assert str(caught.value).endswith(reason)
    assert len(str(caught.value)) <= 200
    assert str(caught.value).isprintable()


def test_dataset_names_follow_the_same_rule() -> None:
    """A dataset's name is refused for the same reasons, as a `DataError`."""
    with pytest.raises(DataError, match="cannot be the name of a dataset: it holds '/'"):
        check_dataset_name("a/b")


@pytest.mark.parametrize(
    ("name", "reason"), [("for", "Python itself"), ("3x", "no digit first"), ("", "letters")]
)
def test_bad_identifiers_say_why(name: str, reason: str) -> None:
    """A keyword and a non-identifier are told apart, and the error says whose name it is."""
    with pytest.raises(DefinitionError, match=f"the name of a module: .*{reason}"):
        check_name(name, "module")


def test_identifiers_may_have_accents() -> None:
    """A Python identifier is a name."""
    assert check_name("élève_1", "module") == "élève_1"


def test_natural_order_counts() -> None:
    """Numbers inside names are compared as numbers, also next to names without any."""
    names = ["node_10", "node_2", "b", "10", "Node_3", "node", "9", "node_02"]

    assert sorted(names, key=natural_key) == [
        "9",
        "10",
        "b",
        "node",
        "node_02",
        "node_2",
        "Node_3",
        "node_10",
    ]


@given(st.lists(st.text()))
def test_natural_order_takes_any_text(names: list[str]) -> None:
    """No text, not even a number of thousands of digits, breaks the order."""
    ordered = sorted([*names, "7" * 5000], key=natural_key)

    assert sorted(ordered, key=natural_key) == ordered


def test_near_names_are_guessed() -> None:
    """A misspelling is answered by the option as it is spelt, nonsense by nothing."""
    assert did_you_mean("Digts", ["Digits", "wine"]) == " (did you mean 'Digits'?)"
    assert did_you_mean("acc", ["loss", "val_acc"]) == " (did you mean 'val_acc'?)"
    assert did_you_mean("qqq", ["Digits"]) == ""
    assert did_you_mean("iris", ["digits", "breast_cancer"]) == ""


def test_lists_and_texts_are_shortened() -> None:
    """Long lists are counted, long texts lose their middle."""
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(i) for i in range(12)], most=2) == "0, 1 and 10 more"
    assert shorten("abcdefghij", 5) == "ab…ij"
    assert shorten("abc", 5) == "abc"
