"""The saved runs that the tests of their renderer read are those that Python writes now."""

from __future__ import annotations

import pytest

from tests.monitor.savedruns import FOLDER, RUNS, text_of


@pytest.mark.parametrize("name", RUNS)
def test_a_saved_run_is_what_python_writes(name):
    """`python -m tests.monitor.savedruns` would change nothing: the browser's side reads the form of today."""
    assert (FOLDER / f"{name}.json").read_text(encoding="ascii") == text_of(RUNS[name]())
