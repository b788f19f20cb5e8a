"""The files that people meet first agree with the package."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import manta_nb

ROOT = Path(__file__).parents[1]


def test_changelog_has_a_place_for_what_is_new() -> None:
    """The first section is [Unreleased], so that a change has somewhere to be told."""
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sections[0] == "Unreleased"


def test_version_is_the_installed_one() -> None:
    """`manta_nb.__version__` is what pip says."""
    assert version("manta-nb") == manta_nb.__version__


def test_readme_names_only_files_that_are_there() -> None:
    """A path in the README is a path in the repository."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    missing = [path for path in linked if not (ROOT / path).exists()]

    assert linked and missing == []


def test_readme_names_only_targets_that_make_knows() -> None:
    """Each `make …` of the README is a target of the Makefile."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert set(re.findall(r"make ([a-z]+)", text)) <= set(targets)
