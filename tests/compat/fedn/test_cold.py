"""An entry point as a process of its own: its output, its end, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from manta_nb.compat.fedn.programs.calls import Call
from manta_nb.compat.fedn.programs.cold import run_cold, run_program
from manta_nb.compat.processes.environment import SEED_VARIABLE, environment
from tests.waiting import until

#: a program that starts others, one of them in a session of its own, and tells their numbers
FAMILY = """\
import os, subprocess, sys, time
near = subprocess.Popen(["sleep", "600"])
far = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(os.getpid(), near.pid, far.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a copy"
    made.mkdir()
    return made


@pytest.fixture
def started() -> Iterator[list[int]]:
    """Numbers of processes that are gone after the test, whatever it did."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


class Heard(list[tuple[str, str]]):
    """What was emitted."""

    def __call__(self, stream: str, line: str) -> None:
        self.append((stream, line))


def call(folder: Path, text: str, command: str = "python program.py", **variables: str) -> Call:
    (folder / "program.py").write_text(text, encoding="utf-8")
    whole = environment(os.environ, variables, shims=None, site=None, interpreter=sys.executable)
    return Call("train", command, ("in put.npz", "o'ut.npz"), folder, whole, sys.executable)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_program_gets_its_paths_and_runs_in_its_folder(folder: Path) -> None:
    """Blanks and quotes in paths are part of them; where it is, is also what `PWD` says."""
    heard = Heard()

    outcome = run_cold(
        call(folder, "import os, sys; print(*sys.argv, os.getcwd(), os.environ['PWD'], sep='|')"), heard
    )

    assert [("stdout", f"program.py|in put.npz|o'ut.npz|{folder}|{folder}")] == heard
    assert (outcome.exit_code, outcome.how) == (0, "cold")
    assert outcome.seconds > 0


def test_a_command_for_a_shell_goes_through_one(folder: Path) -> None:
    """With the paths as arguments, and the node's Python as `python`."""
    heard = Heard()
    program = "import sys; print(sys.argv[1:], sys.prefix)"

    outcome = run_cold(call(folder, program, "cd . && /venv/bin/python program.py"), heard)

    assert outcome.exit_code == 0
    assert [("stdout", f"{['in put.npz', chr(111) + chr(39) + 'ut.npz']} {sys.prefix}")] == heard


def test_lines_come_while_it_runs(folder: Path) -> None:
    """It goes on only when its first line was heard."""
    text = "import os\nprint('first')\nwhile not os.path.exists('heard'): pass\nprint('second')"
    heard = Heard()

    def emit(stream: str, line: str) -> None:
        heard(stream, line)
        (folder / "heard").touch()

    run_cold(call(folder, text), emit)

    assert ["first", "second"] == [line for _, line in heard]


def test_streams_are_told_apart_and_odd_bytes_do_no_harm(folder: Path) -> None:
    """Carriage returns end lines, the last needs no end, bytes that are no text are replaced, endless lines are cut."""
    text = "import os\nos.write(1, b'10%\\r20%\\r\\nE\\xffnd\\n' + b'x' * 30000 + b'\\nlast')\nos.write(2, b'\\xc3\\xa9')\n"
    heard = Heard()

    run_cold(call(folder, text), heard)

    out = [line for stream, line in heard if stream == "stdout"]
    assert ["10%", "20%", "E\ufffdnd", "last"] == [*out[:3], out[-1]]
    assert len(out[3]) <= 10_000
    assert ("stderr", "é") in heard


def test_the_last_twenty_lines_are_kept(folder: Path) -> None:
    """Of both streams."""
    text = "import sys\nfor i in range(100): print(i)\nsys.exit('it failed')"

    outcome = run_cold(call(folder, text), Heard())

    assert outcome.exit_code == 1
    assert len(outcome.tail) == 20
    assert {"99", "it failed"} <= set(outcome.tail)


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("1 / 0", 1)])
def test_how_it_ended_is_its_exit_code(end: str, code: int, folder: Path) -> None:
    """Minus the signal, where one ended it."""
    assert run_cold(call(folder, f"import os, sys\n{end}"), Heard()).exit_code == code


def test_a_program_that_cannot_be_started_ends_as_in_a_shell(folder: Path) -> None:
    """127, with a line that says why; no exception."""
    heard = Heard()

    outcome = run_program(["/nowhere/program"], folder, {}, heard)

    assert outcome.exit_code == 127
    assert heard == [("stderr", outcome.tail[0])]
    assert "/nowhere/program cannot be started" in outcome.tail[0]


def test_a_folder_that_is_gone_is_said(folder: Path) -> None:
    """The working copy may have been removed meanwhile."""
    outcome = run_program([sys.executable, "-c", ""], folder / "gone", dict(os.environ), Heard())

    assert outcome.exit_code == 127
    assert "gone" in outcome.tail[0]


def test_it_cannot_wait_for_a_keyboard(folder: Path) -> None:
    """Its input is empty."""
    outcome = run_cold(call(folder, "input('name? ')"), Heard())

    assert any("EOFError" in line for line in outcome.tail)


def test_interrupts_mean_what_they_mean(folder: Path) -> None:
    """Though the process that calls ignores and blocks them, as a node's does."""
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('went on')"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        outcome = run_cold(call(folder, text), Heard())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, before)

    assert "KeyboardInterrupt" in outcome.tail
    assert "went on" not in outcome.tail


def test_what_a_program_leaves_in_the_background_holds_nobody_up(folder: Path, started: list[int]) -> None:
    """It still has the pipe, and goes on, as it does in FEDn; the call is over when the program is."""
    began = time.monotonic()

    outcome = run_cold(
        call(folder, "", "sleep 600 & echo $! ; true"), lambda _, line: started.append(int(line))
    )

    assert outcome.exit_code == 0
    assert time.monotonic() - began < 20
    assert not is_gone(started[0])


def test_a_script_that_ends_its_own_group_ends_only_that(folder: Path) -> None:
    """`trap 'kill 0' EXIT` is a common way to clean up."""
    outcome = run_cold(call(folder, "", "trap 'kill 0' EXIT; sleep 600 & echo began; true"), Heard())

    assert outcome.tail == ("began",)


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_an_aborted_call_leaves_nothing(how: type[BaseException], folder: Path, started: list[int]) -> None:
    """The program, what it started, and what it started in a session of its own."""

    def emit(_: str, line: str) -> None:
        started.extend(map(int, line.split()))
        raise how

    with pytest.raises(how):
        run_cold(call(folder, FAMILY), emit)

    assert len(started) == 3
    until(lambda: all(map(is_gone, started)), what="the aborted program left something")


def test_programs_end_with_the_process_that_called(folder: Path, started: list[int]) -> None:
    """Killed without a word, it leaves neither the program nor what that started in its group."""
    given = call(folder, FAMILY, "cd . && python program.py")
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(folder), given.command], stdout=subprocess.PIPE, text=True
    )
    started.append(caller.pid)
    assert caller.stdout is not None
    with caller.stdout:
        started.extend(map(int, caller.stdout.readline().split()))

        caller.kill()
        caller.wait()

        program, near, _ = started[1:]
        until(lambda: is_gone(program) and is_gone(near), what="the program outlived its caller")


CALLER = """\
import os, sys
from pathlib import Path
from manta_nb.compat.fedn.programs.calls import Call
from manta_nb.compat.fedn.programs.cold import environment, run_cold
variables = environment(os.environ, {}, shims=None, site=None, interpreter=sys.executable)
call = Call("train", sys.argv[2], (), Path(sys.argv[1]), variables, sys.executable)
run_cold(call, lambda stream, line: print(line, flush=True))
"""


def made(
    base: Mapping[str, str], node_env: Mapping[str, str] | None = None, **options: object
) -> dict[str, str]:
    given = {"shims": None, "site": None, "interpreter": sys.executable, **options}
    return environment(base, node_env or {}, **given)  # type: ignore[arg-type]


def test_the_variables_of_a_node_win(folder: Path) -> None:
    """Over those of the process; of its paths, ours come first."""
    base = {"A": "1", "B": "2", "PATH": "/bin", "PYTHONPATH": "/old"}
    node = {"B": "3", "PATH": "/mine:/bin", "PYTHONPATH": "/libs", "PYTHONUNBUFFERED": ""}

    found = made(base, node, shims="/shims", site="/site")

    assert (found["A"], found["B"], found["PYTHONUNBUFFERED"]) == ("1", "3", "")
    assert [str(Path(sys.executable).parent), "/mine", "/bin"] == found["PATH"].split(":")
    assert ["/site", "/shims", "/libs"] == found["PYTHONPATH"].split(":")


def test_nothing_of_the_runtime_and_the_notebook_is_seen() -> None:
    """A matplotlib that wants a notebook, colours in tracebacks, Dask's settings: not even where a value is odd."""
    own = {
        "MANTA_NB_WORKER": "/x", "MANTA_FAIL_AT": "y", "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "FORCE_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "6640", "DASK_PARENT": "z",
        "PYTHONHOME": "/other", "VIRTUAL_ENV": "/elsewhere",
    }  # fmt: skip

    found = made({**own, "PATH": "/bin", "OMP_NUM_THREADS": "1"})

    assert found.keys() <= {"PATH", "OMP_NUM_THREADS", "PYTHONUNBUFFERED", "VIRTUAL_ENV"}
    assert found.get("VIRTUAL_ENV") != "/elsewhere"
    assert made({"MPLBACKEND": "Agg"})["MPLBACKEND"] == "Agg"


def test_a_seed_makes_programs_repeatable() -> None:
    """Also the order of a set of texts; without one, chance is chance."""
    seeded, free = made({}, seed=7), made({})

    assert (seeded[SEED_VARIABLE], seeded["PYTHONHASHSEED"]) == ("7", "0")
    assert not {SEED_VARIABLE, "PYTHONHASHSEED"} & free.keys()


def test_python_is_the_interpreter_where_its_folder_has_no_such_name(folder: Path) -> None:
    """As on systems that have `python3` only: a script of that name leads to it, blanks in its path and all."""
    lonely = folder / "my tools" / "python3.99"
    lonely.parent.mkdir()
    lonely.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    lonely.chmod(0o755)

    found = made({"PATH": "/usr/bin:/bin"}, interpreter=str(lonely), wrappers=folder / "names")

    for name in ("python", "python3"):
        done = subprocess.run(
            ["/bin/sh", "-c", f'{name} -c "import sys; print(sys.prefix, sys.argv[1])" "a b"'],
            env=found, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == f"{sys.prefix} a b\n"
    assert made({}, wrappers=folder / "unused")["PATH"].startswith(str(Path(sys.executable).parent))
    assert not (folder / "unused").exists()
