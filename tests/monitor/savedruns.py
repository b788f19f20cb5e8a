"""Runs that are over, as notebooks keep them: for the tests of the renderer of saved runs.

`python -m tests.monitor.savedruns` writes all of `extension/fixtures/saved/`, `… savedruns eight` one of them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from manta_nb.engine.records import Event, Failure
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.nodeuse import RunNodes
from manta_nb.session.runjson import run_json
from manta_nb.session.views import GlobalInfo, GlobalsView, ResultInfo, ResultsView
from tests.session.fake_run import FakeRun, learning_curves

__all__ = ["HARM", "RUNS", "main", "text_of"]

FOLDER = Path(__file__).resolve().parents[2] / "extension" / "fixtures" / "saved"
#: what a stranger who means harm calls things
HARM = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'
_BIDI = "\u202egnp.exe\u202c\u2066"


def eight() -> FakeRun:
    """Eight nodes, twenty iterations of three steps, and something in every table."""
    run = _run("fl", 8, 20, steps=3)
    run.events.extend(
        [
            Event(4, "nan", "loss is NaN on node_3", "node_3", "worker"),
            Event(11, "retry", "the worker of node_5 was lost; its task ran again", "node_5", "worker"),
        ]
    )
    run.logs.extend(
        LogRow(iteration, f"node_{node}", "worker", "stdout", f"epoch {iteration}: {100 + 7 * node} images")
        for iteration in range(20)
        for node in range(8)
    )
    run.end("completed", reason="all iterations")
    return run


def many() -> FakeRun:
    """Two hundred nodes: bands, and more rows than a notebook keeps."""
    run = _run("crowd", 200, 30)
    run.end("stopped", reason="by a person")
    return run


def failed() -> FakeRun:
    """A run that failed, of nodes and metrics whose names mean harm, with values that are no numbers."""
    nodes = [HARM, _BIDI, "__proto__"]
    run = FakeRun(
        run_id="5c0ffee1",
        name=f"fl{HARM}",
        nodes=nodes,
        iterations=6,
        metrics=MetricTable(
            MetricRow(iteration, node, "worker", name, None, value)
            for iteration in range(5)
            for at, node in enumerate(nodes)
            for name, value in (
                (HARM, 1 / (1 + iteration + at)),
                ("constructor", math.nan if at == iteration % 3 else float(at)),
                (f"{_BIDI}loss", math.inf if iteration > 2 else 2.0**-iteration),
            )
        ),
        logs=LogTable(LogRow(0, HARM, "worker", "stderr", f"{HARM} {_BIDI}") for _ in range(3)),
        events=EventTable([Event(1, HARM, f"{HARM} {_BIDI}", HARM, "worker")]),
        globals=_globals({HARM: HARM, "__proto__": 1.5}),
    )
    failure = Failure(
        HARM, "error", f"ValueError: {HARM}", "Cell In[3], line 4", f"    {HARM}\n" * 30, (HARM,)
    )
    run.end("failed", iteration=5, error=f"worker failed on {HARM}", failure=failure)
    return run


RUNS: Mapping[str, Callable[[], FakeRun]] = {"eight": eight, "many": many, "failed": failed}


def text_of(run: FakeRun) -> str:
    """What a notebook keeps of the run for viewers, as it is written to the fixtures."""
    return json.dumps(run_json(run), ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _run(name: str, nodes: int, iterations: int, steps: int = 1) -> FakeRun:
    names = [f"node_{index}" for index in range(nodes)]
    seconds = {node: 3 + 0.25 * (index % 5) for index, node in enumerate(names)}
    return FakeRun(
        name=name,
        nodes=RunNodes(names, seconds, dict.fromkeys(names, 52_000)),  # type: ignore[arg-type]
        iterations=iterations,
        elapsed=41.5,
        metrics=MetricTable(learning_curves(nodes, iterations, steps)),
        globals=_globals({"learning_rate": 0.05, "global_model_params": [0.1] * 50, "round": iterations - 1}),
        results=ResultsView(
            lambda *_: {},
            lambda: {"model_params": ResultInfo(iterations - 1, tuple(names), 6_500 * nodes)},
        ),
    )


def _globals(values: Mapping[str, object]) -> GlobalsView:
    infos = {tag: GlobalInfo(None if at == 0 else 4, 90 + 800 * at) for at, tag in enumerate(values)}
    return GlobalsView(values.__getitem__, lambda: infos)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="Write what notebooks keep of some runs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)}; all of them")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in parser.parse_args().names or RUNS:
        path = FOLDER / f"{name}.json"
        path.write_text(text_of(RUNS[name]()), encoding="ascii")
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
