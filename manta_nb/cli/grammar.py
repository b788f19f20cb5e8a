"""The commands of `manta-nb` as tables: options, defaults, examples, explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from manta_nb.cli.grammar_fedn import FEDN_COMMANDS
from manta_nb.cli.grammar_swarm_learning import SCRIPT_COMMANDS
from manta_nb.ui import values
from manta_nb.ui.grammar import NODE_VERBS
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.parser import Option, Verb

__all__ = ["COMMANDS", "EXIT_CODES", "GROUPS", "group_overview", "overview"]

EXIT_CODES = "exit codes: 0 done · 1 the run failed · 2 a mistake in what was typed · 130 interrupted"

_JSON = Option("--json", "one JSON object on stdout")

#: nodes and data are asked for as in a notebook; what differs here
_DATA = Option(
    "--data",
    "digits, breast_cancer, wine, diabetes, a .npz/.csv/.pt file, a folder with one folder a node, NAME=any of these",
    "DATA",
    default_text="digits",
    sample="digits",
)


def _node_options() -> tuple[Option, ...]:
    start = next(verb for verb in NODE_VERBS if verb.name == "%manta start")
    return tuple(
        _DATA if option.name == "--data" else option for option in start.options if option.name != "--seed"
    )


def _run_option(name: str) -> Option:
    return next(option for option in VERBS["run"].options if option.name == name)


_RUN = Verb(
    "manta-nb run",
    "run the swarm of a file on nodes of this machine",
    "manta-nb run swarm.py:FLSwarm -p n_workers=8 --nodes 8 --data digits --iterations 20 --json",
    (
        Option("SWARM", "FILE.py, or FILE.py:Class where it defines several swarms", required=True),
        _run_option("-p"),
        *_node_options(),
        _run_option("--iterations"),
        Option(
            "--seed",
            "makes the split of the data and the run repeatable",
            "N",
            values.whole(0),
            default_text="0 for the data, a new one for the run",
            sample="7",
        ),
        _JSON,
        Option("--inline", "run tasks in the workers themselves, not in child processes: to debug"),
    ),
    (
        "Progress goes to stderr, the metrics to stdout: a table, or with --json one object with run_id,",
        "status, reason, iterations and metrics (iteration, node, task, name, step, value).",
        "The first Ctrl-C stops the run and reports what it has; a second one kills it.",
        EXIT_CODES,
    ),
)

_DEMO = Verb(
    "manta-nb demo",
    "execute the notebook 01_first_swarm.ipynb: federated digits on 8 nodes",
    "manta-nb demo --folder manta-demo",
    (
        Option(
            "--folder",
            "where the executed notebook and its picture are written",
            "FOLDER",
            default="manta-demo",
            sample="manta-demo",
        ),
    ),
)

_DOCTOR = Verb(
    "manta-nb doctor",
    "what this machine has, and what to do about what it has not",
    "manta-nb doctor --json",
    (_JSON,),
    ("exit codes: 0 all that a run on this machine needs is there · 1 something is missing",),
)

_LAB = Verb(
    "manta-nb lab",
    "open JupyterLab on the notebooks of the course",
    "manta-nb lab --no-browser --port 8899",
    about=(
        "In a checkout these are the files of notebooks/, else copies of them in ./manta-notebooks.",
        "All options go to JupyterLab.",
    ),
)

_RUN_ID = Option("RUN_ID", "name of a run, or at least 4 characters of its id", required=True)


def _past_option(name: str) -> Option:
    return next(option for option in VERBS["runs"].options if option.name == name)


def _file(name: str, what: str, metavar: str, sample: str) -> Option:
    return Option(name, what, metavar, default_text="not written", sample=sample)


_RUNS_LIST = Verb(
    "manta-nb runs list",
    "the runs that are kept here, the latest first",
    "manta-nb runs list --json",
    (
        _past_option("--all"),
        _past_option("--limit"),
        Option("--json", "one JSON list on stdout, of all runs, the oldest first"),
    ),
    ("They are in .manta of the folder one works in, or in MANTA_HOME.",),
)

_RUNS_SHOW = Verb(
    "manta-nb runs show",
    "what a run left: its summary and its last metrics",
    "manta-nb runs show fl --json",
    (_RUN_ID, Option("--json", "one JSON object on stdout, as manta-nb run --json gives it")),
)

_RUNS_EXPORT = Verb(
    "manta-nb runs export",
    "write a run to files",
    "manta-nb runs export fl --globals fl.npz --metrics fl.csv --html fl.html",
    (
        _RUN_ID,
        _file("--globals", "its Globals, as .npz or .safetensors", "FILE", "fl.npz"),
        _file("--metrics", "its metrics, as .csv or .parquet", "FILE", "fl.csv"),
        _file("--html", "a report in one file", "FILE", "fl.html"),
    ),
    ("A file that is there is replaced.",),
)

_RUNS_PRUNE = Verb(
    "manta-nb runs prune",
    "delete runs; without --yes say which, and how many bytes that gives",
    "manta-nb runs prune --older 30 --keep 10 --yes",
    (
        Option("RUN_ID", "names or ids", default_text="all that the other options choose", repeat=True),
        Option("--older", "not changed for so many days", "DAYS", values.number(0), sample="30"),
        Option("--keep", "all but the latest N; 0: all", "N", values.whole(0), sample="10"),
        Option("--yes", "delete them"),
        _JSON,
    ),
    ("A run that goes on is never deleted.",),
)

_RUNS_STOP = Verb(
    "manta-nb runs stop",
    "stop a run, in whatever kernel it goes on; the nodes stay",
    "manta-nb runs stop fl",
    (_RUN_ID,),
    ("What it has committed stays; manta-nb runs resume goes on with it.",),
)
_RUNS_RESUME = Verb(
    "manta-nb runs resume",
    "go on with a run that was interrupted, was stopped or failed",
    "manta-nb runs resume fl --iterations 30 --json",
    (
        _RUN_ID,
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
            "the code it was started with, or that of the files as they are now",
            "stored|current",
            values.choice("stored", "current"),
            default_text="asked for where they differ",
            sample="stored",
            kind="stored|current",
        ),
        _JSON,
    ),
    (
        "It goes on from its last complete iteration, on nodes like those it had; with a seed its numbers are",
        "those of a run that was never interrupted. Output and Ctrl-C are those of manta-nb run.",
        EXIT_CODES,
    ),
)

#: commands of two words: first → second → command
GROUPS: Mapping[str, Mapping[str, Verb]] = MappingProxyType(
    {
        "runs": MappingProxyType(
            {
                verb.name.split()[2]: verb
                for verb in (_RUNS_LIST, _RUNS_SHOW, _RUNS_EXPORT, _RUNS_PRUNE, _RUNS_STOP, _RUNS_RESUME)
            }
        ),
        "fedn": MappingProxyType(FEDN_COMMANDS),
        "swarm-learning": MappingProxyType(SCRIPT_COMMANDS),
    }
)

#: the commands by name, in the order the help lists them
COMMANDS: Mapping[str, Verb] = MappingProxyType(
    {verb.name.split()[1]: verb for verb in (_RUN, _DEMO, _LAB, _DOCTOR)}
)


def overview() -> str:
    """All commands on one screen: what `manta-nb` alone shows."""
    verbs = [*COMMANDS.values(), *(verb for group in GROUPS.values() for verb in group.values())]
    examples = [f"  {verb.example}" for verb in verbs]
    return "\n".join(
        [
            "manta-nb: swarms of federated and decentralised computing, from the command line",
            "",
            *_rows(verbs),
            "",
            "Options of each, with their defaults: manta-nb run --help",
            "",
            "Examples:",
            *examples,
        ]
    )


def group_overview(name: str) -> str:
    """The commands of a group: what `manta-nb runs` alone shows."""
    return "\n".join(
        [
            *_rows([*GROUPS[name].values()]),
            "",
            f"Options of each: manta-nb {name} {next(iter(GROUPS[name]))} --help",
        ]
    )


def _rows(verbs: Sequence[Verb]) -> list[str]:
    width = max(len(verb.name) for verb in verbs)
    return [f"  {verb.name:<{width}}  {verb.summary}" for verb in verbs]
