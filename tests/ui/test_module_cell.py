"""`%%module`: what a cell is, what it binds, and what a second run of it changes."""

from __future__ import annotations

import sys

import pytest

from manta_nb.errors import DefinitionError, MantaError, UsageError
from manta_nb.sdk.module import Module
from tests.ui.fakes import Shell
from tests.ui.texts import MODEL, START, WORKER


def test_a_cell_is_a_module_and_a_card(shell: Shell) -> None:
    """The value of the cell is the module, bound under its name; its text form is the card's line."""
    told = shell.ok(WORKER)

    assert told.value is shell.ns["worker"]
    assert repr(told.value) == "worker v1 · Worker.run (In[1]) · every node · reads lr · adds model_params"


def test_a_file_comes_before_its_main_cell(shell: Shell) -> None:
    """A package may begin with a second file; it has no task yet."""
    told = shell.ok(MODEL)

    assert repr(told.value).startswith("worker v1 · model.py (In[1]) · no task yet")


def test_the_main_cell_imports_its_second_file(shell: Shell) -> None:
    """`from .model import MLP` works in the notebook, and the card lists file and cell."""
    shell.ok(MODEL)
    told = shell.ok(WORKER.replace("class Worker", "from .model import MLP\nclass Worker"))

    assert repr(told.value).startswith("worker v2 · Worker.run (In[2]), model.py (In[1]) · every node")
    assert shell.ok("MLP().get_weights()").value == {"w": [1.0, 2.0]}


def test_public_names_are_bound_but_not_main(shell: Shell) -> None:
    """What the cell defines and imports is there afterwards, as after any cell; `main`, `_private` and NAME are not."""
    shell.ns["main"] = "mine"
    shell.ok(
        "%%module m\nimport json\n_private = 1\npublic = 2\ndef m(): ...\ndef main(): print(json, _private, public)"
    )

    assert (shell.ns["public"], shell.ns["main"]) == (2, "mine")
    assert "json" in shell.ns
    assert "_private" not in shell.ns
    assert isinstance(shell.ns["m"], Module)


def test_an_import_that_fails_here_is_a_note(shell: Shell) -> None:
    """A package that only the nodes have leaves a module and one line."""
    told = shell.ok("%%module m\nimport not_installed_here\ndef main(): print(not_installed_here)")

    assert told.out.startswith("m is kept but cannot be imported here: No module named 'not_installed_here'")
    assert isinstance(shell.ns["m"], Module)


def test_no_local_does_not_run_the_cell(shell: Shell) -> None:
    """With `--no-local` nothing of the cell happens in the notebook."""
    shell.ok("%%module m --no-local\nprint('here')\npublic = 2\ndef main(): print(public)")

    assert "public" not in shell.ns
    assert isinstance(shell.ns["m"], Module)


def test_a_sibling_that_is_not_there_yet_is_a_note_then_an_error(shell: Shell) -> None:
    """The missing file is a line under its cell, and refused when a swarm would run it."""
    told = shell.ok(START, "%%module worker\nfrom .model import MLP\ndef main(): print(MLP)")
    refused = shell.cell("%%swarm fl --iterations 1\nworker")

    assert "model.py" in told.out
    assert "model.py" in refused.line
    assert isinstance(refused.error, DefinitionError)


def test_a_shared_file_belongs_to_both(shell: Shell) -> None:
    """`%%module worker,evaluate --file model.py` gives one file to two modules."""
    shell.ok("%%module worker,evaluate --file model.py\nvalue = 3")

    assert "model.py" in shell.ns["worker"].source.files
    assert "model.py" in shell.ns["evaluate"].source.files


def test_the_version_goes_up_with_the_text_only(shell: Shell) -> None:
    """Running a cell again unchanged keeps the version; changing its text raises it."""
    first = shell.ok(WORKER).value
    again = shell.ok(WORKER).value
    changed = shell.ok(WORKER.replace('"lr"', '"rate"')).value

    assert [first.revision, again.revision, changed.revision] == [1, 1, 2]


def test_a_rerun_replaces_that_file_only(shell: Shell) -> None:
    """The other files of the package stay, and so do the options of the main cell."""
    shell.ok(WORKER, MODEL, MODEL.replace("2.0", "3.0"))
    worker = shell.ns["worker"]

    assert sorted(worker.source.files) == ["__init__.py", "model.py"]
    assert worker.method == "all"
    assert shell.ok("MLP().get_weights()").value == {"w": [1.0, 3.0]}


def test_options_of_the_main_cell_replace_earlier_ones_as_a_whole(shell: Shell) -> None:
    """An option that is not given again is gone."""
    shell.ok(WORKER.replace("--all", "--maximum 3 --fixed --except node_1"), WORKER)
    worker = shell.ns["worker"]

    assert (worker.method, worker.maximum, worker.fixed, worker.excepted_ids) == ("all", None, False, ())


def test_options_become_those_of_the_module(shell: Shell) -> None:
    """Each option reaches the Module."""
    shell.ok(
        "%%module m --maximum 0.5 --fixed --nodes a,b --except c --needs digits "
        "--min-nodes 2 --retries 1 --timeout 60\ndef main(): print(1)"
    )
    options = shell.ns["m"].options

    assert (options.maximum, options.fixed, options.specified_ids, options.excepted_ids) == (
        0.5,
        True,
        ("a", "b"),
        ("c",),
    )
    assert (options.datasets, options.min_nodes, options.retries, options.timeout) == (
        ("digits",),
        2,
        1,
        60.0,
    )


def test_a_refused_cell_leaves_the_earlier_version(shell: Shell) -> None:
    """A mistake in a re-run does not take away what worked."""
    shell.ok(WORKER)
    shell.cell(WORKER + "        print(nowhere)\n")

    assert shell.ns["worker"].revision == 1


def test_a_swarm_says_that_a_refused_cell_is_not_in_it(shell: Shell) -> None:
    """Which cell was refused, and which version runs instead; nothing once the cell is mended."""
    shell.ok(START, WORKER, "%%module worker --file more.py\nx = 1")
    shell.cell(WORKER + "        print(nowhere)\n")
    refused = shell.ok("%%swarm fl --iterations 1 --dry-run\nset_global('lr', 1)\nworker").value
    shell.ok(WORKER + "        print('mended')\n")
    mended = shell.ok("%%swarm fl --iterations 1 --dry-run\nset_global('lr', 1)\nworker").value

    assert "worker: Cell In[4] was refused; running version 2 of before" in str(refused)
    assert "refused" not in str(mended)


def test_an_error_at_import_shows_the_cell_and_leaves_the_earlier_version(shell: Shell) -> None:
    """The user's own error keeps its traceback, which ends in the cell's line."""
    shell.ok("%%module m\nvalue = 1\ndef main(): print(value)")
    told = shell.cell("%%module m\nvalue = 1\nvalue = value / 0\ndef main(): print(value)")
    assert isinstance(told.error, ZeroDivisionError)
    frames = [frame.tb_lineno for frame in _frames(told.error)]

    assert frames[-1] == 3
    assert "importlib" not in told.out
    assert shell.ok("import m; m.value").value == 1


def _frames(error: BaseException) -> list:
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def test_a_name_in_use_is_replaced_and_said(shell: Shell) -> None:
    """A variable of the module's name is overwritten with one line that says what it was."""
    shell.ns["worker"] = 3
    told = shell.ok(WORKER)

    assert told.out.startswith("worker was an int of the notebook; it is the module worker now")


def test_a_module_named_like_a_package_does_not_hide_it(shell: Shell) -> None:
    """`%%module random` leaves `import random` alone."""
    shell.ok("%%module random\ndef main(): print(1)")

    assert hasattr(sys.modules["random"], "randint") if "random" in sys.modules else True
    assert shell.ok("import random as r; r.randint(1, 1)").value == 1


def test_file_takes_no_other_option(shell: Shell) -> None:
    """Options belong to the main cell."""
    with pytest.raises(UsageError, match="--file takes no other option, got --all"):
        shell.ok("%%module worker --file model.py --all\nx = 1")


def test_two_names_need_a_file(shell: Shell) -> None:
    """Two modules can share a file, not a main file."""
    with pytest.raises(UsageError, match=r"--file model.py"):
        shell.ok("%%module a,b\ndef main(): print(1)")


def test_try_on_finds_the_nodes_of_now(shell: Shell) -> None:
    """A module can be tried on nodes that were started after its cell, and after another start."""
    shell.ok(WORKER)
    with pytest.raises(MantaError, match="%manta start"):
        shell.ok("worker.try_on('node_0')")

    assert shell.ok(START, "worker.try_on('node_0', globals={'lr': 1})").value == "tried worker on node_0"
    assert shell.opened[-1].tried[0][2] == {"lr": 1}


def test_the_modules_are_listed_and_forgotten(shell: Shell) -> None:
    """`%manta modules` shows file and cell; `--forget` removes a file, or the module and its variable."""
    shell.ok(MODEL, WORKER)

    assert "model.py (In[1])" in str(shell.ok("%manta modules").value)
    shell.ok("%manta modules --forget worker --file model.py")
    assert [*shell.ns["worker"].source.files] == ["__init__.py"]
    shell.ok("%manta modules --forget worker")
    assert "worker" not in shell.ns
    with pytest.raises(UsageError, match="no module worker; there are: none yet"):
        shell.ok("%manta modules --forget worker")


def test_accents_are_welcome(shell: Shell) -> None:
    """Names, tags and texts with accents work."""
    told = shell.ok('%%module évaluation\ndef main():\n    print("évalué")')

    assert repr(told.value).startswith("évaluation v1 · main() (In[1])")


def test_help_says_the_rule(shell: Shell) -> None:
    """`%%module?` tells what a class learns first."""
    assert "Nothing of the notebook travels but the text" in shell.ok("%%module?").out
