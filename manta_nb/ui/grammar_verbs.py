"""The verbs of `%manta` that concern runs and modules, and the table of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from manta_nb.ui import values
from manta_nb.ui.grammar import NODE_VERBS, RUN_SEED
from manta_nb.ui.grammar_fedn import FEDN
from manta_nb.ui.grammar_swarm_learning import SWARM_LEARNING
from manta_nb.ui.parser import Option, Verb

__all__ = ["VERBS"]

RUN = Option("RUN", "name or id of a run", default_text="the latest run", kind="run")
TAG = Option("--tag", "one tag only", "TAG", default_text="all tags", sample="model_params", kind="tag")

_LEVELS = ("stdout", "stderr", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_START_RUN = Verb(
    "%manta run",
    "run a Swarm of the notebook or of a file",
    "%manta run swarm.py:FLSwarm -p n_workers=8 --iterations 20",
    (
        Option("SWARM", "a Swarm class, a Swarm, or FILE.py[:Class]", required=True, kind="swarm"),
        Option(
            "-p",
            "an argument of the class; may be given several times",
            "NAME=VALUE",
            sample="n_workers=8",
            default_text="the class's own",
            repeat=True,
        ),
        Option(
            "--iterations",
            "complete iterations to run",
            "N|forever",
            values.iterations,
            default_text="until a task calls stop_swarm()",
            sample="20",
        ),
        RUN_SEED,
        Option(
            "--name",
            "the run's name",
            "NAME",
            values.identifier,
            default_text="the name of the class",
            sample="fl",
        ),
        Option("--wait", "wait for the end, and raise if the run failed"),
        Option("--dry-run", "show what would run where, and run nothing"),
        Option("--nodes", "only on these nodes", "a,b", values.names, sample="node_0,node_3", kind="node"),
        Option("--keep", "let a run of the same name go on beside this one"),
    ),
)

_LOGS = Verb(
    "%manta logs",
    "what the tasks of a run printed and logged",
    "%manta logs fl --node node_3 --tail 20",
    (
        RUN,
        Option("--node", "one node only", "NODE", default_text="all nodes", sample="node_3", kind="node"),
        Option("--task", "one task only", "NAME", default_text="all tasks", sample="worker", kind="module"),
        Option(
            "--level",
            "lines of this level only",
            "LEVEL",
            values.choice(*_LEVELS),
            default_text="all levels",
            sample="WARNING",
            kind="|".join(_LEVELS),
        ),
        Option("--contains", "lines that hold this text", "TEXT", default_text="all lines", sample="loss"),
        Option("--tail", "the last N lines", "N", values.whole(1), default_text="all lines", sample="20"),
    ),
)

_RUNS = Verb(
    "%manta runs",
    "all runs, also of earlier kernels: as a table, in one chart, or deleted",
    "%manta runs --compare --metric val_acc",
    (
        Option(
            "RUN",
            "with --compare or --prune: names or ids of runs",
            default_text="all runs; with --compare the latest 12",
            repeat=True,
            kind="past",
        ),
        Option("--all", "every run, however many there are"),
        Option("--limit", "at most N runs", "N", values.whole(1), 20, sample="50"),
        Option("--compare", "draw the runs in one chart, and tell where each was best"),
        Option(
            "--metric",
            "the metric they are judged by",
            "NAME",
            default_text="the first accuracy-like one, else the first",
            sample="val_acc",
            kind="metric",
        ),
        Option("--prune", "say which runs would be deleted, and how many bytes that gives"),
        Option(
            "--older", "with --prune: not changed for so many days", "DAYS", values.number(0), sample="30"
        ),
        Option("--keep", "with --prune: all but the latest N", "N", values.whole(0), sample="10"),
        Option("--yes", "with --prune: delete them"),
    ),
    (
        "Runs of this notebook come first. A run that was interrupted says how to go on.",
        "A run that goes on is never deleted: %manta runs --prune --older 30 --keep 10, then the same with --yes.",
        "In Python: manta_nb.runs, manta_nb.runs['fl'], manta_nb.runs[-2:].compare().",
    ),
)

_EXPORT = Verb(
    "%manta export",
    "a run as files: a report, its metrics, its Globals",
    "%manta export fl report.html metrics.csv globals.npz",
    (
        Option("RUN", "name or id of a run", default_text="the latest run", kind="past"),
        Option(
            "FILE",
            ".html: a report; .csv, .parquet: metrics; .npz, .safetensors: Globals",
            default_text="at least one",
            repeat=True,
        ),
    ),
    (
        "A file that is there is replaced. The report is one file that needs no network, to read and to send on.",
    ),
)

_VERBS: tuple[Verb, ...] = (
    *NODE_VERBS,
    _START_RUN,
    _RUNS,
    Verb("%manta stop", "stop a run; the nodes stay", "%manta stop fl", (RUN,)),
    Verb(
        "%manta resume",
        "go on with a run that was stopped, failed, or lost its kernel",
        "%manta resume fl --iterations 30",
        (
            Option(
                "RUN",
                "name or id of a run",
                default_text="the latest that can go on",
                kind="run",
            ),
            Option(
                "--iterations",
                "complete iterations in all; a run that is complete needs more",
                "N|forever",
                values.iterations,
                default_text="as many as before",
                sample="30",
            ),
            Option(
                "--code",
                "which code to go on with, where it has changed since: that of the run, or that of the cells now",
                "stored|current",
                values.choice("stored", "current"),
                default_text="that of the run, where nothing has changed",
                sample="stored",
            ),
        ),
    ),
    Verb(
        "%manta monitor",
        "show the live monitor of a run, also of one that is over",
        "%manta monitor fl",
        (RUN,),
    ),
    Verb(
        "%manta modules",
        "the modules: which file is in which cell",
        "%manta modules --forget worker --file model.py",
        (
            Option(
                "--forget", "forget this module", "NAME", values.identifier, sample="worker", kind="module"
            ),
            Option("--file", "with --forget: forget this file of it only", "FILE", sample="model.py"),
        ),
    ),
    Verb("%manta globals", "the Globals of a run", "%manta globals fl", (RUN, TAG)),
    Verb(
        "%manta results",
        "the Results of a run",
        "%manta results fl --tag model_params --iteration 3",
        (
            RUN,
            TAG,
            Option(
                "--iteration",
                "of this iteration",
                "K",
                values.whole(0),
                default_text="the latest that wrote the tag",
                sample="3",
            ),
        ),
    ),
    Verb("%manta metrics", "the metrics of a run, as a table", "%manta metrics fl", (RUN,)),
    _LOGS,
    Verb("%manta graph", "the graph of a run", "%manta graph fl", (RUN,)),
    _EXPORT,
    FEDN,
    SWARM_LEARNING,
    Verb("%manta doctor", "what this machine has, and what to do about what it has not", "%manta doctor"),
)

#: the verbs of `%manta` by name, in the order the help lists them
VERBS: Mapping[str, Verb] = MappingProxyType({verb.name.split()[1]: verb for verb in _VERBS})
