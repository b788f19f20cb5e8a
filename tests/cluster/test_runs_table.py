"""The table of `RUNS.md`, cell by cell: what stop, resume and fork do, by Python, by magic and by command."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from manta_nb import Run, Session
from manta_nb.errors import MantaError
from manta_nb.session.reopening import reopen
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from manta_nb.store.records import RunInfo
from tests.cluster.parts import module
from tests.ui.fakes import Shell
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "RUNS.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| `\w+` \| (ends|nothing)", line)
]
STATUSES = [row[0].strip("`") for row in ROWS]
ACTIONS = ["stop", "resume", "more", "fork"]
CELLS = [
    (row[0].strip("`"), action, text) for row in ROWS for action, text in zip(ACTIONS, row[1:], strict=True)
]
#: iterations asked for at first, and where there shall be more
FIRST, MORE = 3, 5
_NUMBERS = itertools.count()


def start(session: Session, name: str, folder: Path, fails: bool = False) -> Run:
    """A run whose second iteration waits as long as there is a file of its name, or fails once."""
    hold = folder / name
    hold.touch()
    end = "raise ValueError('no')" if fails else "time.sleep(0.002)"
    body = f"""
    while world.iteration == 1 and os.path.exists({str(hold)!r}):
        {end}
    world.globals["n"] = world.globals.get("n", 0) + 1
    """
    return session.run(module(body, "worker", method="any"), iterations=FIRST, seed=1, name=name)


@dataclass
class Place:
    """A store with runs in every status."""

    session: Session
    folder: Path
    interrupted: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """Where the runs are kept."""
        return self.session.store

    def make(self, status: str) -> tuple[Run, Path]:
        """A run in that status, and the file that held it there."""
        if status == "interrupted":
            run = reopen(self.store, self.store.find(self.interrupted.pop()))
            return run, self.folder / run.name
        name = f"{status}_{next(_NUMBERS)}"
        run = start(self.session, name, self.folder, fails=status == "failed")
        hold = self.folder / name
        if status == "completed":
            hold.unlink()
        if status not in ("failed", "completed"):
            until(lambda: run.iteration == 1, 20)
        if status == "stopped":
            run.stop()
        if status in ("completed", "failed"):
            run.wait(20, check=False)
        assert run.status == status
        return run, hold

    def info(self, run: Run) -> RunInfo:
        """The run as everybody sees it."""
        return self.store.info(run.run_id)


@pytest.fixture(scope="module")
def place(nothing_left: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two nodes, and eleven runs of a kernel that was killed."""
    folder = tmp_path_factory.mktemp("table")
    words = [sys.executable, "-m", "tests.cluster.tablechild", str(folder / "store"), str(folder), "11"]
    child = subprocess.run(words, cwd=ROOT, timeout=100, check=False, capture_output=True, text=True)
    assert child.returncode == -signal.SIGKILL, child.stderr
    with Session(nodes=2, store=folder / "store") as session:
        yield Place(session, folder, [f"interrupted_{number}" for number in range(11)])


def by_python(place: Place, run: Run, action: str) -> None:
    """A method of the run."""
    session = place.session if run._session is None else None
    if action == "stop":
        run.stop()
    elif action == "fork":
        run.fork(iteration=0, iterations=2, name=f"fork-of-{run.name}", session=session)
    else:
        run.resume(None if action == "resume" else MORE, session=session)


def by_magic(place: Place, run: Run, action: str) -> None:
    """A line in a notebook that uses the nodes."""
    shell = Shell()
    try:
        shell.notebook.use(place.session)
        more = f" --iterations {MORE}" if action == "more" else ""
        shell.ok(f"%manta {'stop' if action == 'stop' else 'resume'} {run.name}{more}")
    finally:
        place.session.display = None
        shell.close()


def by_command(place: Place, run: Run, action: str) -> None:
    """`manta-nb runs`, in another process."""
    words = ["stop" if action == "stop" else "resume", run.name]
    words += ["--iterations", str(MORE)] if action == "more" else []
    done = subprocess.run(
        [sys.executable, "-m", "manta_nb", "runs", *words],
        env={**os.environ, "MANTA_HOME": str(place.folder / "store")},
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise MantaError(done.stderr.strip().splitlines()[-1])


WAYS = [by_python, by_magic, by_command]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(("status", "action", "text"), CELLS)
def test_a_cell(
    place: Place, way: Callable[[Place, Run, str], None], status: str, action: str, text: str
) -> None:
    """What the table says is what happens."""
    if action == "fork" and way is not by_python:
        pytest.skip("a fork is made in Python")
    run, hold = place.make(status)
    before = place.info(run)
    if action != "stop" and status != "running":
        hold.unlink(missing_ok=True)

    try:
        refusal = _refusal(lambda: way(place, run, action))
        _CHECKS[text.split(":", maxsplit=1)[0].split(" within", maxsplit=1)[0]](place, run, before, refusal)
        if "more iterations" in text:
            assert "more" in refusal
    finally:
        # a task that waits keeps its node
        hold.unlink(missing_ok=True)
    until(lambda: run.finished, 20)


def _refusal(action: Callable[[], None]) -> str:
    """The one line that says no; "" where that is not said."""
    try:
        action()
    except MantaError as error:
        return str(error)
    return ""


def _stops(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert refusal == ""
    until(lambda: place.info(run).status == "stopped", 2)


def _stays(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert place.info(run) == before


def _refuses(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert refusal
    assert place.info(run).status == before.status


def _goes_on(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert refusal == ""
    until(lambda: place.info(run).status == "completed", 20)
    assert place.info(run).iterations == FIRST


def _goes_further(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert refusal == ""
    until(lambda: (place.info(run).status, place.info(run).iterations) == ("completed", MORE), 20)


def _forks(place: Place, run: Run, before: RunInfo, refusal: str) -> None:
    assert refusal == ""
    assert place.info(run).status == before.status
    fork = place.store.find(f"fork-of-{run.name}")
    # its task waits as that of the other one did
    (place.folder / run.name).unlink(missing_ok=True)
    until(lambda: place.store.info(fork).status == "completed", 20)
    assert (place.store.info(fork).parent, place.store.info(fork).iterations) == ((run.run_id, 0), 2)


_CHECKS: dict[str, Callable[[Place, Run, RunInfo, str], None]] = {
    "ends `stopped`": _stops,
    "nothing changes": _stays,
    "refused": _refuses,
    "goes on": _goes_on,
    "goes on to that many": _goes_further,
    "a new run from a committed iteration": _forks,
}


def test_the_table_has_every_status() -> None:
    """Those that last."""
    assert STATUSES == ["running", "completed", "stopped", "failed", "interrupted"]
    assert {text.split(":")[0].split(" within")[0] for _, _, text in CELLS} == set(_CHECKS)


def test_a_store_shows_what_a_killed_kernel_left(place: Place) -> None:
    """Interrupted, with what it had committed, and nobody has it."""
    infos = [info for info in open_store(place.store.where).runs() if info.name.startswith("interrupted")]

    assert len(infos) == 11
    assert all(info.owner == "" or info.status != "interrupted" for info in infos)
