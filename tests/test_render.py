"""Tables, cards and bars say the same as text and as HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.render import Card, Shown, Table, bar, esc, number, plain

VOID = {"br"}


class Words(HTMLParser):
    """Reads the text of HTML and checks that every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_text_table_is_aligned() -> None:
    """A text table has a rule, text on the left and numbers on the right."""
    table = Table(["node", "samples"], [["node_0", 180], ["Élève_1", 7]], caption="digits")

    assert str(table).split("\n") == [
        "digits",
        "node     samples",
        "───────  ───────",
        "node_0       180",
        "Élève_1        7",
    ]


def test_wide_and_combining_characters_keep_the_columns() -> None:
    """East Asian characters count as two columns and combining accents as none."""
    lines = str(Table(["n", "v"], [["日本", "a"], ["e\u0301e\u0301", "b"], ["abcd", "c"]])).split("\n")

    assert lines[2:] == ["日本  a", "e\u0301e\u0301    b", "abcd  c"]


def test_long_table_is_cut_and_says_so() -> None:
    """Rows beyond the limit are counted in both forms."""
    table = Table(["i"], [[index] for index in range(90)], limit=50)

    assert str(table).endswith("\n49\n… and 40 more")
    assert "… and 40 more" in table._repr_html_()
    assert ">50<" not in table._repr_html_()


def test_empty_table_is_its_header() -> None:
    """A table without rows shows its columns and nothing more."""
    table = Table(["node", "samples"], [])

    assert str(table) == "node  samples\n────  ───────"
    assert Words(table._repr_html_()).words == ["node", "samples"]


def test_numbers_stand_on_the_right_in_html() -> None:
    """A column of numbers, with gaps, is on the right; one of text or booleans is not."""
    page = Table(["a", "b", "c"], [[1, "x", True], [None, "y", False]])._repr_html_()

    sides = re.findall(r"<th [^>]*text-align:(\w+)", page)
    assert sides == ["right", "left", "left"]
    assert "tabular-nums" in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1437, "1437"),
        (np.int64(10**12), "1000000000000"),
        (0.91234, "0.9123"),
        (np.float32(0.5), "0.5"),
        (12345.6, "12346"),
        (1.2e-5, "1.2e-05"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    """Whole numbers are exact, others have four digits."""
    assert number(value) == shown


@given(st.text(alphabet=st.characters(), max_size=80))
def test_nothing_from_outside_escapes_into_html_or_the_terminal(text: str) -> None:
    """Whatever the text, it makes no element of its own, and no control character is printed."""
    thing = Card(text, [text, Table([text], [[text]], caption=text)], details=[(text, text)])

    page = thing._repr_html_()
    assert Words(page).tags <= {"div", "b", "table", "caption", "thead", "tbody", "tr", "th", "td", "br"} | {
        "details",
        "summary",
    }
    assert all(char.isprintable() or char == "\n" for char in str(thing))
    json.dumps(page, ensure_ascii=False).encode()


def test_foreign_html_is_not_trusted() -> None:
    """An object with an HTML form of its own is shown as text unless it is a `Shown`."""

    class Foreign:
        def _repr_html_(self) -> str:
            return "<script>"

        def __str__(self) -> str:
            return "<foreign>"

    assert "&lt;foreign&gt;" in Table(["a"], [[Foreign()]])._repr_html_()


def test_escape_covers_attributes_and_broken_unicode() -> None:
    """Quotes are escaped, and a lone surrogate becomes a question mark."""
    assert esc('<a b="c">\'&\udcff') == "&lt;a b=&quot;c&quot;&gt;&#x27;&amp;?"
    assert plain("a\x1b[31m\nb") == "a [31m b"


def test_card_folds_its_details() -> None:
    """Details are a closed fold in HTML and indented lines in text."""
    card = Card("worker v2", ["every node"], details=[("source", "a = 1\nb = 2")])

    assert str(card) == "worker v2\nevery node\nsource:\n  a = 1\n  b = 2"
    assert "<details><summary>source</summary>a = 1<br>b = 2</details>" in card._repr_html_()


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "           0%"),
        (0.5, "█████      50%"),
        (0.0125, "▏          1%"),
        (7.0, "██████████ 100%"),
        (-1.0, "           0%"),
        (float("nan"), "           0%"),
    ],
)
def test_bar_is_filled_in_eighths(fraction: float, text: str) -> None:
    """A bar is clamped to 0…1 and drawn to an eighth of a character."""
    assert str(bar(fraction)) == text


def test_bar_reads_without_styles() -> None:
    """Where a host strips styles, the label of the bar is still there, escaped."""
    page = Table(["share"], [[bar(0.25, "<1 of 4>")]])._repr_html_()

    assert Words(page).words == ["share", "<1 of 4>"]


def test_html_has_no_script_and_no_fixed_text_colour() -> None:
    """The text colour is the page's own, and nothing outside the page is asked for."""
    page = Card("t", [Table(["a"], [[bar(0.5)]]), "x"], details=[("d", "y")])._repr_html_()

    colours = re.findall(r"(?<!-)\bcolor:([^;\"]+)", page)
    assert set(colours) == {"var(--jp-ui-font-color1, inherit)"}
    assert not re.search(r"script|http|url\(|class=|<style|onclick", page)


def test_shown_is_its_text_at_a_prompt() -> None:
    """`repr` of a shown thing is its text form."""
    thing: Shown = Card("a", ["b"])

    assert repr(thing) == "a\nb"


def test_short_words_stay_whole() -> None:
    """Where a table is narrow its lines break between words; a long word, such as a path, may be broken."""
    page = Table(["status", "from"], [["x interrupted", "x " + "path" * 9]])._repr_html_()
    cells = re.findall(r'<td style="([^"]*)"', page)

    assert ["overflow-wrap:normal" in style or "nowrap" in style for style in cells] == [True, False]
