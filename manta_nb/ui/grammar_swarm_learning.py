"""What can be asked of Swarm Learning scripts: `%manta swarm-learning`, `%%swarm_learning`, and what a shell shares."""

from __future__ import annotations

from manta_nb.ui import values
from manta_nb.ui.grammar import RUN_SEED
from manta_nb.ui.grammar_programs import KEEP, NODE_OPTIONS, WAIT
from manta_nb.ui.parser import Option, Verb

__all__ = ["NAME", "SCRIPT", "SCRIPT_CELL", "SCRIPT_OPTIONS", "SWARM_LEARNING"]

SCRIPT = Option("SCRIPT", "a training script that makes a SwarmCallback: FILE.py", required=True, kind="path")
NAME = Option("--name", "the run's name", "NAME", default_text="the name of the script", sample="mnist")

#: what a run of a script can be told, in a notebook and on the command line
SCRIPT_OPTIONS = (
    Option(
        "--data",
        "what a script finds in DATA_DIR: digits, a file, a folder with one folder a node, NAME=any of these",
        "DATA",
        default_text="no data",
        sample="digits",
        kind="dataset",
    ),
    *NODE_OPTIONS,
    Option(
        "--min-peers",
        "nodes that a merge needs: sets MIN_PEERS, which scripts hand to their SwarmCallback",
        "N",
        values.whole(1),
        default_text="what the script says",
        sample="2",
    ),
    Option(
        "--env",
        "a variable of all scripts; may be given several times",
        "NAME=VALUE",
        values.variable,
        default_text="those of manta-nb",
        sample="MAX_EPOCHS=5",
        repeat=True,
    ),
    Option(
        "--node-env",
        'variables of single nodes, as JSON: {"node_0": {"MAX_EPOCHS": "9"}}; "*" is every node',
        "FILE",
        sample="env.json",
        kind="path",
    ),
    Option("--args", "what the script finds in sys.argv", "TEXT", sample='"data.csv 0.1"'),
    Option(
        "--model-dir",
        "the folder that each node gets a copy of, with all that the script imports",
        "FOLDER",
        default_text="the one the script lies in",
        sample="model",
        kind="path",
    ),
    Option(
        "--merge",
        "how models are merged: mean, coordmedian, geomedian, or FILE.py:function(models, weights)",
        "HOW",
        default_text="what the script asks for, else mean",
        sample="geomedian",
        kind="mean|coordmedian|geomedian|path",
    ),
    Option(
        "--evaluate",
        "measures each node's final model: FILE.py:function(model_dir, data_dir) returns a dict of numbers",
        "FILE.py:function",
        sample="measure.py:accuracy",
        kind="path",
    ),
    Option(
        "--patience",
        "seconds that the other nodes get once --min-peers have checked in",
        "S",
        values.seconds,
        30.0,
        default_text="30",
        sample="5",
    ),
    Option(
        "--deadline",
        "seconds in which --min-peers must check in; else the run fails and names who is missing",
        "S",
        values.seconds,
        600.0,
        default_text="600",
        sample="60",
    ),
    RUN_SEED,
)

SWARM_LEARNING = Verb(
    "%manta swarm-learning",
    "run a script written for HPE Swarm Learning",
    "%manta swarm-learning mnist_pyt.py --nodes 3 --data digits --min-peers 2 --env MAX_EPOCHS=5",
    (SCRIPT, *SCRIPT_OPTIONS, NAME, WAIT, KEEP),
    (
        "Nodes in use are kept where neither --nodes nor --data is given. Each node runs the script as a process of",
        "its own, in a copy of the script's folder; a merge is an iteration of an ordinary run.",
        "The run is a variable of the script's name: NAME.merges, NAME.scripts, NAME.set_weight('node_1', 3),",
        "NAME.compare(). In Python: from manta_nb import swarm_learning; swarm_learning.run(…).",
        "In a cell: %%swarm_learning. In a shell, or behind ! in a cell: manta-nb swarm-learning run.",
    ),
)

SCRIPT_CELL = Verb(
    "%%swarm_learning",
    "a training script that makes a SwarmCallback, run on every node",
    "%%swarm_learning mnist --nodes 3 --data digits --min-peers 2",
    (
        Option(
            "NAME", "the run's name, and the variable it is bound to", read=values.identifier, required=True
        ),
        *SCRIPT_OPTIONS,
        WAIT,
        KEEP,
    ),
    (
        "The cell is the script, NAME.py, and runs on the nodes only: nothing of the notebook travels but its text.",
        "It finds its data in DATA_DIR, saves in MODEL_DIR, and imports what lies in --model-dir FOLDER.",
        "It returns at once: NAME.wait() waits, NAME.stop() stops, NAME.merges, NAME.scripts and NAME.metrics show,",
        "NAME.compare() sets it beside each node alone and beside all data in one place.",
    ),
)
