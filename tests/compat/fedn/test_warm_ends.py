"""Programs end with their callers, callers hear how they ended, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.programs.warm.caller import NotWarm
from tests.compat.fedn.warmth import Both
from tests.waiting import until


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "node").mkdir()
    made = Both(tmp_path / "node", tmp_path / "meeting")
    yield made
    made.leave()


def alive(*pids: int) -> list[int]:
    """Those that are neither gone nor waiting to be reaped."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


#: a program that goes on for ever, with a child in a session of its own and one in the background
FAMILY = """
import os, subprocess
own = subprocess.Popen(["sleep", "1000"], start_new_session=True)
other = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
print(os.getppid(), os.getpid(), own.pid, other.pid, other.stdout.readline().strip(), flush=True)
other.wait()
"""


class Stopped(Exception):
    """What a caller raises when it is told to stop."""


def test_a_caller_that_raises_kills_the_program_and_all_it_started(both: Both) -> None:
    """Stop and timeouts reach the program's children, too, also those that went their own way."""
    both.write("main.py", FAMILY)
    call, program = both.call(), both.program()
    warm = both.kept(call)
    assert "" == warm.ready(program)
    told: list[int] = []

    def stop(stream: str, line: str) -> None:
        told.extend(map(int, line.split()))
        raise Stopped

    with pytest.raises(Stopped):
        warm.run(call, program, stop)

    assert [] == alive(told[1])
    until(lambda: not alive(*told[1:]))
    both.write("main.py", "print('next')")
    assert Outcome(0, 0, ("next",), "warm").tail == warm.run(call, program, lambda *of: None).tail
    warm.disconnect()


#: a caller in a process of its own
CALLER = """
import sys
from pathlib import Path
from tests.compat.fedn.warmth import Both
both = Both(Path(sys.argv[1]), Path(sys.argv[2]))
call, program = both.call(), both.program()
warm = both.kept(call)
assert not warm.ready(program)
print("ready", flush=True)
outcome = warm.run(call, program, lambda stream, line: print(line, flush=True))
print("ended", outcome.exit_code, flush=True)
"""


def caller(both: Both) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CALLER, str(both.folder), str(both.meeting)]
    root = Path(__file__).parents[3]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def test_a_caller_that_is_killed_takes_its_program_along(both: Both) -> None:
    """Nothing is left of it: neither the program and its children, nor the process that it was forked from."""
    both.write("main.py", FAMILY)
    process = caller(both)
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    told = [int(pid) for pid in process.stdout.readline().split()]

    process.kill()

    process.wait()
    process.stdout.close()
    until(lambda: not alive(*told))


def test_nobody_waits_for_imports_of_a_caller_that_is_gone(both: Both) -> None:
    """A process that is still importing ends, too."""
    both.write(
        "library/slow.py",
        f"import os, time; print(os.getpid(), file=open({str(both.folder / 'pid')!r}, 'w'), flush=True); time.sleep(1000)",
    )
    both.write("main.py", "import slow")
    process = caller(both)
    until(lambda: (both.folder / "pid").exists() and (both.folder / "pid").read_text().endswith("\n"))
    kept = int((both.folder / "pid").read_text())

    process.kill()

    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    until(lambda: not alive(kept))
    for path in both.meeting.iterdir():
        path.unlink()
    both.meeting.rmdir()


def test_two_processes_share_the_imports_until_the_last_is_gone(both: Both) -> None:
    """What one has imported the other finds, and what serves both ends with the second."""
    both.write(
        "main.py",
        "import os, sys\nprint(os.getppid())\nsys.stdout.flush()\nwhile not os.path.exists('go'): pass",
    )
    callers = [caller(both) for _ in range(2)]
    kept = set()
    for process in callers:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        kept.add(int(process.stdout.readline()))
    assert 1 == len(kept)

    callers[0].kill()
    callers[0].wait()
    still = alive(*kept)
    (both.folder / "go").touch()

    for process in callers:
        with process:
            assert process.stdout is not None
            assert process is callers[0] or "ended 0\n" == process.stdout.read()
    assert list(kept) == still
    until(lambda: not alive(*kept) and not both.meeting.exists())


def test_a_process_with_imports_that_dies_is_replaced(both: Both) -> None:
    """The call after its death is answered by another one."""
    both.write("main.py", "import os\nprint(os.getppid())")
    call, program = both.call(), both.program()
    warm = both.kept(call)
    assert "" == warm.ready(program)
    kept = int(warm.run(call, program, lambda *of: None).tail[0])
    os.kill(kept, signal.SIGKILL)
    until(lambda: not alive(kept))

    outcome = warm.run(call, program, lambda *of: None)

    assert 0 == outcome.exit_code
    assert kept != int(outcome.tail[0])
    warm.disconnect()


def test_a_program_whose_process_with_imports_dies_is_not_counted(both: Both) -> None:
    """It dies, too, so that nobody waits for it, and the caller is told to start one of its own."""
    both.write("main.py", "import os, time\nprint(os.getppid(), os.getpid(), flush=True)\ntime.sleep(1000)")
    call, program = both.call(), both.program()
    warm = both.kept(call)
    assert "" == warm.ready(program)
    told: list[int] = []

    def kill(stream: str, line: str) -> None:
        told.extend(map(int, line.split()))
        os.kill(told[0], signal.SIGKILL)

    with pytest.raises(NotWarm, match="was killed"):
        warm.run(call, program, kill)

    until(lambda: not alive(*told))
    for path in both.meeting.iterdir():
        path.unlink()
    both.meeting.rmdir()


def test_lines_arrive_while_the_program_runs(both: Both) -> None:
    """Both streams, each line as it is printed."""
    both.write(
        "main.py",
        "import os, sys\nprint('first'); print('second', file=sys.stderr)\nwhile not os.path.exists('go'): pass\nprint('third')",
    )
    call, program = both.call(), both.program()
    warm = both.kept(call)
    assert "" == warm.ready(program)
    lines: list[tuple[str, str]] = []

    def hear(stream: str, line: str) -> None:
        lines.append((stream, line))
        if len(lines) == 2:
            (both.folder / "go").touch()

    outcome = warm.run(call, program, hear)

    assert [("stderr", "second"), ("stdout", "first")] == sorted(lines[:2])
    assert ("stdout", "third") == lines[2]
    assert 3 == len(outcome.tail)
    warm.disconnect()


def test_what_a_program_leaves_in_the_background_goes_on(both: Both) -> None:
    """As in FEDn; and nobody waits for it, though it holds the program's output."""
    both.write("main.py", "import subprocess\nprint(subprocess.Popen(['sleep', '1000']).pid)")

    left = int(both.warm(both.program()).stdout[0])

    assert [left] == alive(left)
    os.kill(left, signal.SIGKILL)


def test_nodes_of_one_host_call_at_the_same_time(both: Both, tmp_path: Path) -> None:
    """Eight programs that wait for each other all end."""
    wait = "import os, sys, time\nopen(f'{sys.argv[2]}/{sys.argv[1]}', 'w').close()\nwhile len(os.listdir(sys.argv[2])) < 8: time.sleep(0.01)\nprint(sys.argv[1], os.getcwd())"
    (tmp_path / "there").mkdir()
    nodes = [Both(tmp_path / f"node {number}", both.meeting) for number in range(8)]
    said: list[tuple[str, ...]] = []
    for node in nodes:
        node.folder.mkdir()
        node.write("main.py", wait)

    def turn(number: int) -> None:
        said.append(nodes[number].warm(nodes[number].program(str(number), str(tmp_path / "there"))).stdout)

    threads = [threading.Thread(target=turn, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [(f"{number} {nodes[number].folder}",) for number in range(8)] == sorted(said)


def test_a_thousand_variables_and_a_megabyte_of_them_travel(both: Both) -> None:
    """An environment may be large."""
    variables = {f"LARGE_{number}": "é" * 1000 for number in range(1000)}
    large = Both(both.folder, both.meeting, variables)
    large.write(
        "main.py", "import os\nprint(sum(len(os.environ[f'LARGE_{number}']) for number in range(1000)))"
    )

    assert ("1000000",) == large.warm(large.program()).stdout


def test_nothing_is_open_afterwards(both: Both) -> None:
    """Calls leave no descriptor and no child in the caller."""
    both.write("main.py", "print('x')")
    both.warm(both.program())
    before = sorted(os.listdir("/proc/self/fd"))
    # other tests of this process may have left the forkserver that all sessions share
    others = psutil.Process().children()

    for _ in range(3):
        both.warm(both.program())

    assert before == sorted(os.listdir("/proc/self/fd"))
    assert others == psutil.Process().children()
