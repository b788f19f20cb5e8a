"""`manta-nb runs`: what is kept here, listed, shown, exported, deleted and gone on with."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.cli import runs as commands
from manta_nb.cli.grammar import GROUPS
from manta_nb.cli.main import main
from manta_nb.errors import MantaError
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from manta_nb.ui.parser import parse
from tests.cli.fakes import EndingRun, FakeSession, Streams, interrupted
from tests.session.past import kept, running
from tests.store.making import run_id


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_HOME", raising=False)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """The store of that folder."""
    made = open_store(None)
    yield made
    made.close()


def typed(*words: str) -> tuple[int, str, str]:
    """Exit code, data and talk of `manta-nb runs` with these words."""
    streams = Streams()
    code = main(["runs", *words], streams.console)
    return code, streams.out, streams.err


def test_without_a_store_there_are_no_runs(folder: Path) -> None:
    """As JSON an empty list; and no store is made by looking."""
    assert typed("list") == (0, "", "no runs here yet\n")
    assert typed("list", "--json") == (0, "[]\n", "")
    assert list(folder.iterdir()) == []


def test_the_list_as_json(store: Store) -> None:
    """All runs, oldest first, with numbers; the best metric with its direction."""
    kept(store, 1, ago=100, source="/home/me/swarm.py")
    kept(store, 2, name="fork", status="interrupted", ago=50, parent=(run_id(1), 7))
    code, out, _ = typed("list", "--json")
    first, second = json.loads(out)

    assert code == 0
    assert list(first) == [
        "run_id", "name", "status", "reason", "iterations", "limit", "seed", "started", "updated", "elapsed", "bytes",
        "best", "parent", "source", "owner",
    ]  # fmt: skip
    assert (first["run_id"], first["name"], first["status"]) == (run_id(1), "fl", "completed")
    assert (first["iterations"], first["limit"], first["seed"], first["elapsed"]) == (2, 8, 7, 12.5)
    assert first["best"] == {"metric": "acc", "value": 0.9, "iteration": 1, "lowest": False}
    assert first["bytes"] > 0 and first["source"] == "/home/me/swarm.py" and first["parent"] is None
    assert (second["status"], second["parent"]) == ("interrupted", [run_id(1), 7])


def test_the_list_as_a_table(store: Store) -> None:
    """The latest first; an interrupted run says how to go on."""
    kept(store, 1, ago=100, status="interrupted")
    kept(store, 2, name="later", ago=50)
    code, out, err = typed("list")
    limited = typed("list", "--limit", "1")[1]

    assert code == 0 and err == "" and out.index("later") < out.index("interrupted")
    assert f"manta-nb runs resume {run_id(1)[:8]}" in out
    assert "and 1 more" in limited and "and 1 more" not in typed("list", "--limit", "1", "--all")[1]


def test_a_run_is_not_found_by_less_than_four_characters(store: Store) -> None:
    """One line, code 2."""
    kept(store, 1)
    code, out, err = typed("show", run_id(1)[:3])

    assert (code, out) == (2, "") and err == f"error: no run {run_id(1)[:3]}; there are: fl\n"


def test_pruning_says_what_would_go_and_then_does_it(store: Store) -> None:
    """Without --yes nothing is deleted."""
    kept(store, 1, ago=100 * 86_400)
    kept(store, 2, name="young")
    _, said, _ = typed("prune", "--older", "30")
    code, out, _ = typed("prune", "--older", "30", "--yes", "--json")
    done = json.loads(out)

    assert "would be deleted" in said and "--yes" in said and code == 0
    assert done["run_ids"] == [run_id(1)] and done["bytes"] > 0 and done["deleted"] is True
    assert [run["name"] for run in json.loads(typed("list", "--json")[1])] == ["young"]


def test_pruning_wants_to_know_what(store: Store) -> None:
    """`--yes` alone deletes nothing, nor does it what goes on."""
    kept(store, 1)
    _, release = running(store, 2, "busy")

    assert typed("prune", "--yes")[0] == 2
    code, _, err = typed("prune", "busy", "--yes")
    assert code == 2 and "busy is running" in err
    release()
    assert len(store.runs()) == 2


def test_export_wants_a_file() -> None:
    """And says which options there are."""
    code, _, err = typed("export", "fl")

    assert code == 2 and "--html report.html" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["lsit"],
            "manta-nb runs has no lsit (did you mean list?); it has list, show, export, prune, stop, resume",
        ),
        (["show"], "manta-nb runs show needs RUN_ID"),
        (["list", "--limit", "0"], "--limit must be a whole number"),
        (["resume", "fl", "--code", "new"], "--code must be stored or current"),
        (["resume", "fl"], "no run fl; there are: none yet"),
    ],
)
def test_mistakes_are_one_line(words: list[str], said: str) -> None:
    """With what to type, and code 2."""
    code, out, err = typed(*words)

    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["--help"], ["list", "--help"], ["resume", "-h"]])
def test_help(words: list[str]) -> None:
    """Of the group all commands, of a command all options and an example."""
    code, out, _ = typed(*words)

    assert code == 0 and f"manta-nb runs {words[0] if len(words) == 2 else 'prune'}" in out


# --- resume -------------------------------------------------------------------------------------------------------


def resumed(*words: str, run: EndingRun | None = None) -> tuple[int, Streams, dict[str, Any], FakeSession]:
    """`manta-nb runs resume` with these words, on a session that runs nothing."""
    streams, asked, session = Streams(), dict[str, Any](), FakeSession(EndingRun())

    def start(store: Store, run_id: str, **more: Any) -> Any:
        asked.update(more, run_id=run_id)
        more["say"]("starting 4 nodes …")
        return session, run or EndingRun()

    options: Namespace = parse(GROUPS["runs"]["resume"], words)
    return commands.resume(options, streams.console, start), streams, asked, session


def test_a_run_is_gone_on_with(store: Store) -> None:
    """By its id, on a session that is closed after it; output as that of `manta-nb run`."""
    kept(store, 1, status="interrupted")
    code, streams, asked, session = resumed("fl", "--iterations", "30", "--code", "stored", "--json")
    given = json.loads(streams.out)

    assert code == 0 and session.closed
    assert (asked["run_id"], asked["iterations"], asked["code"]) == (run_id(1), 30, "stored")
    assert list(given) == ["run_id", "status", "reason", "iterations", "metrics"]
    assert "starting 4 nodes …" in streams.err and "iteration 3 of 3" in streams.err


def test_the_code_says_how_it_ended(store: Store) -> None:
    """1 for a run that failed, 130 for one that was interrupted; the session is closed in any case."""
    kept(store, 1)
    failed = resumed("fl", run=EndingRun(outcome="failed", final={"error": "boom"}))
    stopped = resumed("fl", run=interrupted(EndingRun()))

    assert (failed[0], stopped[0]) == (1, 130) and failed[3].closed and stopped[3].closed
    assert "stopping; Ctrl-C again kills it" in stopped[1].err


def test_what_cannot_be_gone_on_with_is_a_mistake(store: Store) -> None:
    """The error is the line; nothing is printed as data."""
    kept(store, 1)
    streams = Streams()

    def start(*_: Any, **__: Any) -> Any:
        raise MantaError("its code has changed: --code stored or --code current")

    with pytest.raises(MantaError, match="--code stored"):
        commands.resume(parse(GROUPS["runs"]["resume"], ["fl"]), streams.console, start)
    assert streams.out == ""


# --- a real run -----------------------------------------------------------------------------------------------------


@pytest.mark.cluster
def test_a_real_run_is_listed_shown_and_exported(swarm: Path) -> None:
    """What `manta-nb run` did is there for another process: the same object, the same numbers."""
    streams = Streams()
    words = ["run", str(swarm), "--nodes", "2", "--iterations", "3", "--seed", "7", "--inline", "--json"]
    assert main(words, streams.console) == 0
    ran = json.loads(streams.out)

    (listed,) = json.loads(typed("list", "--json")[1])
    shown = json.loads(typed("show", ran["run_id"][:6], "--json")[1])
    code, out, _ = typed("export", "Small", "--globals", "g.npz", "--metrics", "m.csv", "--html", "r.html")

    assert shown == ran and listed["run_id"] == ran["run_id"] and listed["iterations"] == 3
    assert listed["best"]["metric"] == "val_acc" and listed["best"]["value"] == pytest.approx(0.7)
    assert code == 0 and "Small is exported" in out
    assert Path("m.csv").read_text(encoding="utf-8").count("val_acc") == len(ran["metrics"])
    assert "class Worker(Task)" in Path("r.html").read_text(encoding="utf-8")
    with np.load("g.npz") as file:
        assert list(file) == []
