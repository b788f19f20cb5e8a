"""What can be asked of FEDn compute packages: `%manta fedn`, and the options it shares with the command line."""

from __future__ import annotations

from manta_nb.ui import values
from manta_nb.ui.grammar import RUN_SEED
from manta_nb.ui.grammar_programs import KEEP, NODE_OPTIONS, WAIT
from manta_nb.ui.parser import Option, Verb

__all__ = ["FEDN", "PACKAGE", "PACKAGE_OPTIONS"]

PACKAGE = Option(
    "PACKAGE", "a folder with fedn.yaml, or a .tgz, .tar.gz, .tar.bz2, .zip of it", required=True, kind="path"
)

#: what a run of a package can be told, in a notebook and on the command line
PACKAGE_OPTIONS = (
    Option(
        "--seed-model",
        "the model the first round begins with",
        "FILE",
        default_text="made by the package's build or init_seed",
        sample="seed.npz",
        kind="path",
    ),
    Option("--rounds", "rounds of train, aggregate and validate", "N", values.whole(1), 5, sample="6"),
    Option(
        "--data",
        "what the programs find in ../data: digits, a file, a folder with one folder a node, NAME=any of these",
        "DATA",
        default_text="no data",
        sample="digits",
        kind="dataset",
    ),
    *NODE_OPTIONS,
    Option(
        "--node-env",
        'variables of the programs, as JSON: {"node_0": {"ENTRYPOINT_OPTS": "…"}}; "*" is every node',
        "FILE",
        sample="env.json",
        kind="path",
    ),
    Option(
        "--helper",
        "how models are read and written",
        "NAME",
        default_text="what the package's code names, else numpyhelper",
        sample="numpyhelper",
    ),
    Option(
        "--aggregator",
        "how updates become a model",
        "fedavg|fedopt",
        values.choice("fedavg", "fedopt"),
        "fedavg",
        sample="fedopt",
        kind="fedavg|fedopt",
    ),
    Option(
        "--aggregator-kwargs",
        "its parameters, as JSON",
        "JSON",
        default_text="those of FEDn",
        sample='{"serveropt":"yogi"}',
    ),
    Option(
        "--server-functions",
        "a file with a class ServerFunctions",
        "FILE.py",
        sample="server.py",
        kind="path",
    ),
    Option("--min-clients", "updates that a round needs", "N", values.whole(1), 1, sample="2"),
    Option(
        "--timeout",
        "seconds an entry point may take on a node",
        "S",
        values.number(0),
        default_text="no limit",
        sample="600",
    ),
    Option("--no-validate", "do not call the entry point validate"),
    Option("--no-startup", "do not call the entry point startup"),
    Option(
        "--python-env",
        "the nodes' own Python, or what python_env.yaml asks for, built once",
        "ambient|venv",
        values.choice("ambient", "venv"),
        "ambient",
        sample="venv",
        kind="ambient|venv",
    ),
    Option("--real-fedn", "let the programs import an installed FEDn, not manta_nb's helpers"),
    Option("--cold", "a new Python for each call, not a fork of one that has the imports ready"),
    Option("--checksum", "sha256 that the archive must have", "HEX", sample="9f86d081884c7d65…"),
    RUN_SEED,
)

FEDN = Verb(
    "%manta fedn",
    "run a FEDn compute package",
    "%manta fedn package.tgz --seed-model seed.npz --nodes 3 --rounds 6",
    (
        PACKAGE,
        *PACKAGE_OPTIONS,
        Option("--name", "the run's name", "NAME", default_text="the name of the package", sample="fl"),
        WAIT,
        KEEP,
    ),
    (
        "Nodes in use are kept where neither --nodes nor --data is given. Each node works in a copy of the package of",
        "its own, with its data in ../data; train, aggregate and validate are one iteration of an ordinary run.",
        "In Python: from manta_nb import fedn; fedn.run(…), fedn.validations(run), fedn.trail(run), fedn.APIClient(…).",
        "In a shell, or behind ! in a cell: manta-nb fedn train|validate|package|exec.",
    ),
)
