"""What a fork would break is not kept, and what differs from call to call is looked at again."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.fedn.warmth import Both


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "node").mkdir()
    made = Both(tmp_path / "node", tmp_path / "meeting")
    yield made
    made.leave()


#: why a module is not kept → the module
LEAVES = {
    "prints something": "print('imported')",
    "leaves threads": "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "leaves processes": "import subprocess; process = subprocess.Popen(['sleep', '30'])",
    "draws random numbers": "import random; value = random.random()",
    "replaces sys.stdout": "import sys, io; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)",
    "changes sys.path or the working directory": "import sys; sys.path.append('/nowhere')",
    "cannot be imported here: ZeroDivisionError": "1 / 0",
    "cannot be imported here: SystemExit": "import sys; sys.exit(3)",
}


@pytest.mark.parametrize("why", LEAVES)
def test_a_module_that_leaves_something_behind_is_imported_by_each_program(both: Both, why: str) -> None:
    """Its import does in each program what it does in a process of its own, and the log says why it is not kept."""
    both.write("library/leaver.py", LEAVES[why])
    both.write("library/plain.py", "import os; MAKER = os.getpid()")
    both.write(
        "main.py",
        "import os, random, sys, plain, leaver\nprint(random.random(), sys.path[-1], file=sys.stderr)\nos._exit(0)",
    )
    program = both.program()
    warm = both.kept(both.call())

    assert "" == warm.ready(program)
    warm.disconnect()
    assert (f"leaver is imported anew by each call: it {why}",) == warm.notes
    assert both.cold(program, seed=3) == both.warm(program, seed=3)


def test_what_is_installed_is_kept_and_the_package_is_not(both: Both) -> None:
    """An installed module was imported by another process than the program, a module of the package by the program."""
    both.write("library/kept.py", "import os; MAKER = os.getpid()")
    both.write("own.py", "import os, kept; MAKER = os.getpid()")
    both.write("main.py", "import os, own, kept\nprint(own.MAKER == os.getpid(), kept.MAKER == os.getpid())")

    assert ("True False",) == both.warm(both.program()).stdout


def test_a_module_of_the_package_that_changed_is_imported_anew(both: Both) -> None:
    """Programs may write modules, and a package may be replaced."""
    both.write("main.py", "import own\nprint(own.value)")
    both.write("own.py", "value = 1")
    first = both.warm(both.program())
    both.write("own.py", "value = 22")

    assert [("1",), ("22",)] == [first.stdout, both.warm(both.program()).stdout]


def test_a_variable_that_an_import_reads_is_the_program_s_own(tmp_path: Path) -> None:
    """Where the value of another node would have been taken, the module is imported for this node alone."""
    node, other = tmp_path / "node", tmp_path / "other"
    nodes = [Both(folder, tmp_path / "meeting", {"READ": folder.name}) for folder in (node, other)]
    for each in nodes:
        each.folder.mkdir()
        each.write("library/reader.py", "import os; VALUE = os.environ.get('READ')")
        each.write("main.py", "import os, reader\nprint(reader.VALUE, os.environ['READ'])")

    said = [each.warm(each.program()).stdout for each in (*nodes, nodes[0])]

    nodes[0].leave()
    assert [("node node",), ("other other",), ("node node",)] == said


def test_a_variable_that_no_import_reads_keeps_nobody_from_sharing(tmp_path: Path) -> None:
    """Options of the nodes differ, and the imports are the same ones."""
    nodes = [Both(tmp_path / name, tmp_path / "meeting", {"ENTRYPOINT_OPTS": name}) for name in ("a", "b")]
    for each in nodes:
        each.folder.mkdir()
        each.write("library/kept.py", "import os; MAKER = os.getpid()")
        each.write(
            "main.py", "import os, kept\nprint(os.environ['ENTRYPOINT_OPTS'], os.getcwd())\nprint(kept.MAKER)"
        )

    one, other = (each.warm(each.program()).stdout for each in nodes)

    nodes[0].leave()
    assert (f"a {nodes[0].folder}", f"b {nodes[1].folder}") == (one[0], other[0])
    assert one[1] == other[1]


def test_a_variable_that_an_import_sets_is_set(both: Both) -> None:
    """Some modules set variables for those that are imported later, unless somebody else has set them."""
    both.write(
        "library/setter.py",
        "import os; os.environ.setdefault('MADE', 'by setter'); os.environ.pop('GONE', None)",
    )
    both.write("main.py", "import os, setter\nprint(os.environ.get('MADE'), os.environ.get('GONE'))")

    assert both.cold(both.program()) == both.warm(both.program())


def test_what_an_import_registers_to_run_at_the_end_runs_in_every_program(both: Both) -> None:
    """`atexit` and signal handlers of an installed module are the program's, too."""
    both.write(
        "library/late.py",
        "import atexit, signal; atexit.register(print, 'late'); signal.signal(signal.SIGUSR1, lambda *of: print('usr'))",
    )
    both.write("main.py", "import os, signal, late\nos.kill(os.getpid(), signal.SIGUSR1)")
    program = both.program()

    assert both.cold(program) == both.warm(program) == both.warm(program)


#: files of a package → why its program is started cold
REASONS = {
    "queue is also the name of a module that is loaded already": {
        "main.py": "import concurrent.futures.thread",
        "queue.py": "",
    },
    "main.py cannot be read as Python: SyntaxError": {"main.py": "print('x'"},
    "main.py is no file of the package": {"main.py/data.txt": ""},
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_program_that_cannot_be_forked_is_told_by_a_reason(both: Both, reason: str) -> None:
    """What Python itself would have to say about it, it says as a process of its own."""
    for name, text in REASONS[reason].items():
        both.write(name, text)
    warm = both.kept(both.call())

    assert reason == warm.ready(both.program())
    warm.disconnect()


@pytest.mark.parametrize("flags", [("-i",), ("-x",), ("-u", "-ic"), ("--help",)])
def test_flags_that_run_no_script_are_a_reason(both: Both, flags: tuple[str, ...]) -> None:
    """So are those that do something after it."""
    assert f"python {' '.join(flags)} does not run a script" == both.kept(both.call()).ready(
        both.program(flags=flags)
    )


def test_an_interpreter_that_does_not_start_is_a_reason(tmp_path: Path) -> None:
    """The program then says so itself."""
    both = Both(tmp_path, tmp_path / "meeting", interpreter=shutil.which("false") or "/bin/false")
    both.write("main.py", "")

    reason = both.kept(both.call()).ready(both.program())

    assert reason.startswith("the process with its imports ready is gone: ")
    shutil.rmtree(tmp_path / "meeting")


def test_a_meeting_place_of_others_is_a_reason(both: Both) -> None:
    """Who can write there could take the place of the process that programs come from."""
    both.write("main.py", "")
    both.meeting.mkdir()
    both.meeting.chmod(0o777)

    assert "not a folder of this user alone" in both.kept(both.call()).ready(both.program())
    both.meeting.rmdir()


def test_a_python_without_manta_nb_can_be_warm(tmp_path: Path) -> None:
    """What runs there is the standard library's, so that virtual environments need nothing of ours."""
    both = Both(tmp_path / "node", tmp_path / "meeting", interpreter=os.path.realpath(sys.executable))
    both.folder.mkdir()
    both.write(
        "main.py", "import sys, json\nprint('manta_nb' in sys.modules, sys.prefix, sys.executable, sys.path)"
    )
    program = both.program()

    cold, warm = both.cold(program), both.warm(program)

    both.leave()
    assert cold == warm
    assert warm.stdout[0].startswith("False ")


def test_a_program_has_the_limits_of_its_caller(both: Both) -> None:
    """A limit that was set since the imports were made holds for the program as for any process."""
    both.write(
        "main.py", "import os, resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), oct(os.umask(0)))"
    )
    first = both.warm(both.program())
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = os.umask(0o077)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))

        second = both.warm(both.program())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.umask(before)
    assert [(f"({soft}, {hard}) {oct(before)}",), (f"({soft - 1}, {hard}) 0o77",)] == [
        first.stdout,
        second.stdout,
    ]


def test_paths_of_any_length_and_kind_will_do(tmp_path: Path) -> None:
    """A socket's address takes 107 bytes, a folder's name more."""
    deep = tmp_path / ("é" * 60) / "a b" / ("x" * 100)
    both = Both(deep / "node", deep / "meeting")
    both.folder.mkdir(parents=True)
    both.write("main.py", "print('here')")

    said = both.warm(both.program())

    assert ("here",) == said.stdout
    both.leave()
