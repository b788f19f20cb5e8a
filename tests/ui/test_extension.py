"""`%load_ext`, settings, and taking everything back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from manta_nb.shims import shim_folder
from manta_nb.ui.commands import COMMANDS, command
from manta_nb.ui.grammar_verbs import VERBS
from tests.ui.fakes import Shell
from tests.ui.texts import START, WORKER


def test_loading_makes_the_package_known(shell: Shell) -> None:
    """`manta_nb.data.load(…)` works in the next cell without an import."""
    assert shell.ok("manta_nb.__name__").value == "manta_nb"


def test_settings_are_listed_and_checked(shell: Shell) -> None:
    """`%config MantaMagics` shows each setting with its help; a wrong value changes nothing."""
    assert "MantaMagics.rerun" in shell.ok("%config MantaMagics").out
    shell.cell('%config MantaMagics.rerun = "sometimes"')

    assert shell.magics.rerun == "replace"


def test_compatible_packages_are_seen_by_the_kernel_and_by_what_it_starts(shell: Shell) -> None:
    """After loading, `manta_light` is importable here and in `!python …`."""
    told = subprocess.run(
        [sys.executable, "-c", "import manta_light.task; print(manta_light.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.startswith(str(shim_folder()))
    assert shell.ok("import manta_light; manta_light.__file__").value.startswith(str(shim_folder()))


def test_the_place_of_the_packages_can_be_changed(shell: Shell) -> None:
    """`%config MantaMagics.shims` moves the folder on the path, or takes it off."""
    folder = str(shim_folder())
    shell.ok('%config MantaMagics.shims = "last"')
    assert sys.path[-1] == folder
    shell.ok('%config MantaMagics.shims = "off"')

    assert folder not in sys.path
    assert folder not in os.environ.get("PYTHONPATH", "")


def test_programs_of_a_cell_are_those_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """`!python` and `!manta-nb` are found beside the kernel's Python, also where no environment is active."""
    monkeypatch.setenv("PATH", "/nowhere")
    shell = Shell()
    during = os.environ["PATH"].split(os.pathsep)
    shell.close()

    assert during == [os.path.dirname(sys.executable), "/nowhere"]
    assert os.environ["PATH"] == "/nowhere"


def test_unloading_takes_back_everything() -> None:
    """Magics, settings, completion, path, environment, events, packages of cells, and the nodes."""
    path, finders, environment = [*sys.path], [*sys.meta_path], dict(os.environ)
    shell = Shell()
    matchers = len(shell.ip.Completer.custom_matchers)
    events = len(shell.ip.events.callbacks["post_run_cell"])
    shell.ok(START, WORKER)
    shell.close()

    assert shell.opened[0].closed
    assert (sys.path, sys.meta_path, dict(os.environ)) == (path, finders, environment)
    assert "worker" not in sys.modules
    assert len(shell.ip.Completer.custom_matchers) == matchers - 1
    assert len(shell.ip.events.callbacks["post_run_cell"]) == events
    assert "manta_nb" not in shell.ns
    assert shell.ip.find_line_magic("manta") is None
    assert shell.ip.find_cell_magic("swarm") is None
    assert "MantaMagics" not in shell.cell("%config").out


def test_loading_again_works() -> None:
    """What was taken back can be put in place once more."""
    first = Shell()
    first.close()
    again = Shell()

    assert "%manta start" in str(again.ok("%manta").value)
    again.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_and_cell_magic_has_a_command(name: str) -> None:
    """What is imported by name when it is first used is there, and no verb is without."""
    assert callable(command(name))
    assert name in VERBS or name.startswith("%%")
    assert {*VERBS} <= {*COMMANDS}


@pytest.mark.parametrize("module", ["distributed", "torch", "pandas", "matplotlib", "sklearn", "numpy"])
def test_loading_is_light(module: str) -> None:
    """The magics import nothing heavy before there are nodes."""
    code = f"import manta_nb.ui.extension, sys; print({module!r} in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
