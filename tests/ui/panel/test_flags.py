"""What the page's reader of magic lines has to know of the grammar."""

from __future__ import annotations

import re
from pathlib import Path

from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "extension" / "src" / "cells" / "magic.ts"


def test_options_without_a_value_are_those_of_the_grammar() -> None:
    """A word behind any other option is coloured as its value, and is no name."""
    found = re.search(r"const FLAGS = new Set\(\[(.+?)\]\);", SOURCE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    verbs = [MODULE, SWARM, SCRIPT_CELL, *VERBS.values()]
    flags = {option.name for verb in verbs for option in verb.options if not option.takes_value}

    assert {*re.findall(r"'(--[\w-]+)'", found[1])} == {each for each in flags if each.startswith("--")} | {
        "--help"
    }
