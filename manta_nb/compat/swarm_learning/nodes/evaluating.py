"""Measures the model that a node's script left, with the user's function, in a Python of its own."""

from __future__ import annotations

import json
import tempfile
from collections import deque
from pathlib import Path

from manta_nb.compat.processes.pump import LAST_LINES, Emit, pump
from manta_nb.compat.processes.running import NotStartedError, Running
from manta_nb.compat.swarm_learning.nodes.places import Places
from manta_nb.compat.swarm_learning.rounds.settings import Settings
from manta_nb.errors import PackageError
from manta_nb.sdk.parse import one_line

__all__ = ["evaluate"]

_RUNNER = Path(__file__).resolve().parents[1] / "inside" / "evaluate.py"


def evaluate(settings: Settings, places: Places, node_id: str, emit: Emit) -> dict[str, float]:
    """What `function(model_dir, data_dir)` says of a node's final model.

    Raises:
        PackageError: it failed, with its last line.
    """
    tail: deque[str] = deque(maxlen=LAST_LINES)
    with tempfile.TemporaryDirectory(prefix="evaluate-", dir=places.root) as folder:
        file, out = Path(folder) / "evaluate.py", Path(folder) / "out.json"
        file.write_text(settings.evaluate_source, encoding="utf-8")
        folders = (places.model, places.data)
        variables = places.environment({"NODE_ID": node_id, **settings.environment(node_id)}, 0)
        words = [str(out), str(file), settings.evaluate_name, *map(str, folders)]
        command = places.command(["python", str(_RUNNER), *words])
        try:
            with Running(command, places.model, variables) as running:
                pump(*running.pipes, emit, tail, running.has_ended, running.wake)
            code = running.exit_code
        except NotStartedError as error:
            raise PackageError(one_line(f"evaluate cannot be started: {error}")) from error
        if code or not out.is_file():
            last = tail[-1] if tail else "it printed nothing"
            raise PackageError(
                one_line(f"evaluate {settings.evaluate_name} failed (exit code {code}): {last}")
            )
        found = json.loads(out.read_text(encoding="utf-8"))
    return {str(name): float(value) for name, value in found.items()}
