"""A node that takes part in the rounds of a package: its working copy, its programs, what they leave behind."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.models.files import check_like, load_model, save_model
from manta_nb.compat.fedn.programs.calling import Caller
from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.compat.fedn.python.imports import missing_in_tail
from manta_nb.compat.fedn.rounds.reports import (
    TIMES,
    failure_line,
    numbers,
    read_metadata,
    read_metrics,
    words_left_over,
)
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.rounds.workcopy import WorkCopy
from manta_nb.compat.nodedata import lay_out
from manta_nb.compat.processes.ending import killed_by, last_words
from manta_nb.errors import PackageError
from manta_nb.render import plain
from manta_nb.sdk.context import current_context
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.task import Task

__all__ = ["Participant"]

LONGEST_NAME = 200


class Participant:
    """One turn of a node: `Participant(task, settings, package).train(model, {})`.

    Args:
        task: the task whose turn it is.
        settings: what the run knows of the package, see `Settings`.
        package: gives the content of the package, where the node has no copy of it yet.
    """

    def __init__(self, task: Task, settings: Mapping[str, Any], package: Callable[[], bytes]) -> None:
        self._task = task
        self._settings = Settings.of(settings)
        self._node_id = task.world.node_id
        self._round = task.world.iteration + 1
        # the task's own generator is seeded for this iteration, task and node
        self._seed = random.getrandbits(62)
        self._copy = self._prepare(package)
        # a turn begins in the node's folder of the session, which is beside those of the other nodes
        meeting = Path.cwd().parent / "warm"
        self._caller = Caller.of(self._settings, self._copy.folder, self._node_id, meeting=meeting)

    def train(self, model: Any, client_settings: Mapping[str, Any]) -> dict[str, Any]:
        """The update of this node: `{"model", "num_examples", "metadata"}`.

        Args:
            model: the model of the round before, a list or dict of arrays.
            client_settings: what the program reads by `load_metadata(in_model_path)`.

        Raises:
            PackageError: the program failed, or what it left is no update of that model.
        """
        helper = self._settings.helper
        with self._copy.paths(self._round, "train") as (model_in, model_out):
            save_model(model, model_in, helper)
            Path(f"{model_in}-metadata").write_text(json.dumps(dict(client_settings)), encoding="utf-8")
            outcome = self._call("train", model_in, model_out)
            try:
                if not model_out.is_file() or model_out.stat().st_size == 0:
                    raise PackageError("train wrote no model: helper.save(weights, out_path)")
                update = load_model(model_out, helper)
                check_like(update, model, "the model that train wrote")
                metadata, examples = self._metadata(model_out)
            except PackageError as error:
                raise self._failed("train", outcome, str(error)) from error
        return {"model": update, "num_examples": examples, "metadata": metadata}

    def validate(self, model: Any) -> Any:
        """What the program reports of `model`, as JSON has it; its numbers are metrics of the run.

        Raises:
            PackageError: the program failed, or what it left is no JSON.
        """
        with self._copy.paths(self._round, "validate") as (model_in, report_out):
            save_model(model, model_in, self._settings.helper)
            outcome = self._call("validate", model_in, report_out)
            try:
                report = read_metrics(report_out)
            except PackageError as error:
                raise self._failed("validate", outcome, str(error)) from error
        for name, value in numbers(report):
            # without what could move a terminal's cursor; what calls take is measured here
            told = plain(f"reported_{name}" if name in TIMES else name)
            self._task.world.metric(told[:LONGEST_NAME], value)
        return report

    def _metadata(self, model_out: Path) -> tuple[dict[str, Any], float]:
        if not self._settings.metadata and not Path(f"{model_out}-metadata").exists():
            return {}, 1
        return read_metadata(model_out)

    def _prepare(self, package: Callable[[], bytes]) -> WorkCopy:
        root = self._task.local.folder
        common = self._settings.data
        datasets = current_context("a participant").datasets
        data = Path(common) if common is not None else lay_out(root / "datasets", datasets)
        settings, checksum = self._settings.client_settings, self._settings.checksum
        return WorkCopy.prepare(root, checksum, package, settings=settings, data=data)

    def _call(self, name: str, *paths: Path) -> Outcome:
        """Call an entry point; the first one of a new working copy has `startup` before it."""
        if self._copy.fresh and self._settings.startup and "startup" in self._settings.commands:
            outcome = self._run("startup")
            if outcome.exit_code:
                # FEDn goes on, too: many packages only fetch what is there already
                self._task.logger.warning("startup ended with exit code %d; going on", outcome.exit_code)
        self._copy.settle()
        outcome = self._run(name, *map(str, paths))
        if words_left_over(outcome):
            self._task.logger.warning("%s did its work, and ended with: %s", name, last_words(outcome.tail))
        elif outcome.exit_code:
            own = [path.name for path in self._copy.folder.rglob("*.py")]
            last = missing_in_tail(outcome.tail, own) or last_words(outcome.tail)
            why = ": ".join(filter(None, [killed_by(outcome.exit_code), last]))
            raise self._failed(name, outcome, why or "it printed nothing")
        return outcome

    def _run(self, name: str, *paths: str) -> Outcome:
        # whether startup comes before a call, which it does in a fresh copy, must not change what that draws
        seed = self._seed + (name == "startup")
        outcome = self._caller.call(name, self._settings.commands[name], paths, seed, _emit)
        if self._round == 1 and name != "validate":
            for note in self._caller.notes():
                self._task.logger.info("%s", note)
        self._task.world.metric(f"{name}_seconds", outcome.seconds)
        return outcome

    def _failed(self, name: str, outcome: Outcome, why: str) -> PackageError:
        """The error of this turn; what a person looks for later stays in the logs."""
        self._task.logger.error(failure_line(name, outcome.exit_code, why))
        code = f"exit code {outcome.exit_code}: " if outcome.exit_code else ""
        return PackageError(one_line(f"{code}{why}"))


def _emit(level: str, line: str) -> None:
    print(line, file=sys.stdout if level == "stdout" else sys.stderr)
