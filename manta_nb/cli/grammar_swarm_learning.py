"""The command `manta-nb swarm-learning run` as a table."""

from __future__ import annotations

from manta_nb.ui.grammar_swarm_learning import NAME, SCRIPT, SCRIPT_OPTIONS
from manta_nb.ui.parser import Option, Verb

__all__ = ["SCRIPT_COMMANDS"]

_RUN = Verb(
    "manta-nb swarm-learning run",
    "run a script written for HPE Swarm Learning on nodes of this machine",
    "manta-nb swarm-learning run mnist_pyt.py --nodes 3 --data shares --min-peers 2 --env MAX_EPOCHS=5 --json",
    (
        SCRIPT,
        *SCRIPT_OPTIONS,
        NAME,
        Option(
            "--compare", "afterwards train each node alone, and one with all data, and set them beside it"
        ),
        Option("--logs", "what the scripts print, line by line, on stderr"),
        Option("--json", "one JSON object on stdout"),
    ),
    (
        "Each node runs the script as a process of its own, in a copy of the script's folder, which is MODEL_DIR; its",
        "data are in DATA_DIR. Progress goes to stderr; stdout gets tables of the nodes and of the merges, or with",
        "--json one object: run_id, status, reason, merges (round, nodes with their weights, interval), nodes",
        "(exit_code, model_dir, checksum, epochs, tail), and with --compare comparison (local, swarm, central).",
        "The first Ctrl-C stops the run and reports what it has; a second one kills it.",
        "manta-nb runs stop, show and export work for these runs, too.",
        "exit codes: 0 done · 1 the run failed · 2 a mistake in what was typed · 130 interrupted",
    ),
)

#: second word → command
SCRIPT_COMMANDS = {verb.name.split()[2]: verb for verb in (_RUN,)}
