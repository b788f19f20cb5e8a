"""The words of a line become checked values, or one clear line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.data import BUNDLED
from manta_nb.errors import UsageError
from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.help import overview, verb_help
from manta_nb.ui.line import split
from manta_nb.ui.parser import Verb, parse

EVERYONE = [MODULE, SWARM, SCRIPT_CELL, *VERBS.values()]
START = VERBS["start"]


@pytest.mark.parametrize("verb", EVERYONE, ids=lambda verb: verb.name)
def test_help_lists_what_the_parser_takes(verb: Verb) -> None:
    """The help of a verb names every option of the parser with its default, and one example."""
    text = str(verb_help(verb))

    for option in verb.options:
        line = next(line for line in text.splitlines() if line.strip().startswith(option.name))
        assert option.required or "(default: " in line
    assert verb.example in text


def test_help_names_every_bundled_dataset() -> None:
    """All that `%manta start --data` takes by name."""
    assert all(name in str(verb_help(START)) for name in BUNDLED)


@pytest.mark.parametrize("verb", EVERYONE, ids=lambda verb: verb.name)
def test_every_example_can_be_read(verb: Verb) -> None:
    """What a verb's help shows as its example is what its parser reads."""
    words = split(verb.example.removeprefix(verb.name))

    parse(verb, words)


@pytest.mark.parametrize("verb", EVERYONE, ids=lambda verb: verb.name)
def test_every_sample_can_be_read(verb: Verb) -> None:
    """The value an option shows in its errors is one that it takes."""
    required = [option.sample or "fl" for option in verb.options if option.required]

    for option in verb.options:
        if option.takes_value and not option.positional:
            found = parse(verb, [*required, option.name, option.sample])
            assert option.name in found.given


def test_overview_names_every_magic() -> None:
    """`%manta` alone lists the cell magics and every verb."""
    text = str(overview())

    assert [verb.name for verb in EVERYONE if verb.name not in text] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--nodes -3", "--nodes must be a whole number ≥ 1, got -3"),
        ("--nodes 0", "--nodes must be a whole number ≥ 1, got 0"),
        ("--nodes 2.5", "--nodes must be a whole number ≥ 1, got 2.5"),
        ("--nodes", "--nodes needs a value, such as --nodes 8"),
        ("--nodes ''", "--nodes must be a whole number ≥ 1, got nothing"),
        (f"--nodes {'9' * 5000}", "--nodes must be a whole number ≥ 1, got 9999"),
        ("--alpha inf", "--alpha must be a finite number > 0, got inf"),
        ("--alpha 1e400", "--alpha must be a finite number > 0, got 1e400"),
        ("--alpha -1e400", "--alpha must be a finite number > 0, got -1e400"),
        ("--alpha nan", "--alpha must be a finite number > 0, got nan"),
        ("--alpha 0", "--alpha must be a finite number > 0, got 0"),
        ("--sizes 1,x", "--sizes must be positive numbers with commas between them, such as 1,2,7, got 1,x"),
        ("--memory-limit much", "--memory-limit must be an amount of memory such as 512MB, got much"),
        ("--partition irichlet", "got irichlet (did you mean 'dirichlet'?)"),
        ("--nodse 8", "%manta start has no option --nodse (did you mean --nodes?)"),
        ("8", "%manta start takes options only, got also 8"),
        ("-8", "%manta start has no option -8"),
        ("--data 'digits", "a quote is left open at 'digits"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(line: str, told: str) -> None:
    """A wrong word is named together with what to type instead."""
    with pytest.raises(UsageError) as caught:
        parse(START, split(line))

    assert told in str(caught.value)
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("word", ["0", "-1", "1.5", "many", "Forever"])
def test_iterations_are_counted_or_forever(word: str) -> None:
    """`--iterations` takes a whole number from 1, or the word forever."""
    with pytest.raises(UsageError, match=f"--iterations must be a whole number ≥ 1 or forever, got {word}"):
        parse(SWARM, ["fl", "--iterations", word])
    assert parse(SWARM, ["fl", "--iterations=12"]).iterations == 12
    assert parse(SWARM, ["fl", "--iterations", "forever"]).iterations == "forever"


@pytest.mark.parametrize("name", ["9fl", "class", "a-b", "a b", "ö ", "../x"])
def test_a_name_is_an_identifier(name: str) -> None:
    """NAME is what Python takes for a variable, and no keyword."""
    with pytest.raises(UsageError, match="NAME must be a name"):
        parse(SWARM, [name])


@pytest.mark.parametrize(("word", "value"), [("3", 3), ("0.5", 0.5)])
def test_maximum_is_a_count_or_a_fraction(word: str, value: float) -> None:
    """`--maximum` takes a number of nodes or a part of them."""
    assert parse(MODULE, ["worker", "--maximum", word]).maximum == value


def test_an_option_that_is_not_given_has_its_default() -> None:
    """Defaults are those of the help; `given` holds only what was typed."""
    found = parse(START, ["--nodes", "8"])

    assert (found.min_size, found.test, found.seed, found.alpha) == (10, "shared", 0, None)
    assert found.given == {"--nodes"}


def refusal(verb: Verb, line: str) -> str:
    """What the line is refused with; "" if it can be read."""
    try:
        parse(verb, split(line, {"n": 3}))
    except UsageError as error:
        return str(error)
    return ""


@given(st.text(max_size=60))
def test_no_line_does_anything_but_parse_or_say_why(line: str) -> None:
    """Whatever is typed, a line is read or refused in one line; nothing exits or escapes."""
    told = [refusal(verb, line) for verb in (MODULE, SWARM, START)]

    assert [text for text in told if len(text) > 200 or len(text.splitlines()) > 1] == []


@given(
    st.lists(
        st.sampled_from(["--nodes", "--alpha", "--", "-3", "x", "--data=", "'", "1e400", "-p", "--help", "#"])
    )
)
def test_no_soup_of_words_escapes(words: list[str]) -> None:
    """Options in any order, with values missing or odd, never raise anything else."""
    told = [refusal(verb, " ".join(words)) for verb in EVERYONE]

    assert max(map(len, told)) <= 200
