"""What names the text of a cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manta_nb.ui.panel.digest import digest

FIXTURE = Path(__file__).parents[2] / "fixtures" / "digests.json"
TEXTS = json.loads(FIXTURE.read_text(encoding="utf-8"))["texts"]


@pytest.mark.parametrize("case", TEXTS, ids=[repr(case["text"][:20]) for case in TEXTS])
def test_it_is_what_the_page_makes_of_the_same_text(case):
    """Kernel and page come to the same for every text of the common table."""
    assert digest(case["text"]) == case["digest"]


def test_half_a_character_is_no_error():
    """A text that UTF-8 cannot say has a digest, too."""
    assert digest("\ud800").endswith("-1")
