"""The commands of `manta-nb` as tables: options, defaults, examples, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from manta_nb.ui import values
from manta_nb.ui.grammar import NODE_VERBS
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.parser import Option, Verb

__all__ = ["COMMANDS", "EXIT_CODES", "overview"]

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

#: the commands by name, in the order the help lists them
COMMANDS: Mapping[str, Verb] = MappingProxyType(
    {verb.name.split()[1]: verb for verb in (_RUN, _DEMO, _LAB, _DOCTOR)}
)


def overview() -> str:
    """All commands on one screen: what `manta-nb` alone shows."""
    width = max(len(verb.name) for verb in COMMANDS.values())
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in COMMANDS.values()]
    examples = [f"  {verb.example}" for verb in COMMANDS.values()]
    return "\n".join(
        [
            "manta-nb: swarms of federated and decentralised computing, from the command line",
            "",
            *lines,
            "",
            "Options of each, with their defaults: manta-nb run --help",
            "",
            "Examples:",
            *examples,
        ]
    )
