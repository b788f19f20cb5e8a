"""The two cell magics and the verbs that concern nodes, as tables: options, defaults, examples, explanations."""

from __future__ import annotations

from manta_nb.ui import values
from manta_nb.ui.parser import Option, Verb

__all__ = ["MODULE", "NODE_VERBS", "RUN_SEED", "SWARM"]

RUN_SEED = Option(
    "--seed",
    "makes the run repeatable",
    "N",
    values.whole(0),
    default_text="a new one, kept in run.seed",
    sample="7",
)

MODULE = Verb(
    "%%module",
    "one file of a module: code that runs on nodes",
    "%%module worker --all",
    (
        Option(
            "NAME",
            "the module's name: its alias in the graph and the variable it is bound to",
            read=values.identifiers,
            required=True,
            kind="module",
        ),
        Option("--all", "runs on every node that has what it needs"),
        Option(
            "--maximum",
            "on at most N nodes, or that fraction of them",
            "N|0.5",
            values.share,
            default_text="one node, or no limit with --all",
            sample="3",
        ),
        Option("--fixed", "keeps the nodes chosen in the first iteration"),
        Option("--nodes", "only on these nodes", "a,b", values.names, sample="node_0,node_3", kind="node"),
        Option("--except", "never on these nodes", "a,b", values.names, sample="node_1", kind="node"),
        Option(
            "--needs",
            "only on nodes that hold these datasets",
            "digits",
            values.names,
            sample="digits",
            kind="dataset",
        ),
        Option(
            "--min-nodes",
            "how many nodes must succeed for an iteration to go on",
            "N",
            values.whole(1),
            default_text="all of them",
            sample="6",
        ),
        Option("--retries", "tries again on a node where it failed", "N", values.whole(0), 0, sample="2"),
        Option("--timeout", "seconds a node may take", "S", values.number(0), sample="60"),
        Option(
            "--file",
            "the cell is this file of the package, not its main file; takes no other option",
            "model.py",
            sample="model.py",
        ),
        Option("--no-local", "do not run the cell in the notebook, only on nodes"),
    ),
    (
        "The cell is one file of a package NAME. Its main file holds one Task class with a run(self), or a main().",
        "Nothing of the notebook travels but the text: import in the cell what it uses, and hand variables over",
        'by set_global("lr", lr) in the %%swarm cell; a task reads self.world.globals["lr"].',
        "The cell also runs here, so its classes and functions can be used in the notebook.",
        "A module with --file gives a second file: %%module worker --file model.py, then in the main cell",
        "from .model import MLP. Two modules share one: %%module worker,evaluate --file model.py.",
        "Try it on one node: worker.try_on('node_0').",
    ),
)

SWARM = Verb(
    "%%swarm",
    "a swarm: Python that ends in a flow of modules, or in a Swarm; starts a run",
    "%%swarm fl --iterations 20",
    (
        Option(
            "NAME", "the run's name, and the variable it is bound to", read=values.identifier, required=True
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
        Option("--wait", "wait for the end, and raise if the run failed"),
        Option("--dry-run", "show what would run where, and run nothing"),
        Option("--nodes", "only on these nodes", "a,b", values.names, sample="node_0,node_3", kind="node"),
        Option("--keep", "let a run of the same name go on beside this one"),
    ),
    (
        "The cell runs as any cell of the notebook; set_global, Swarm, Module and numpy_to_bytes are there while",
        "it runs. The swarm is the value of its last line: a flow such as worker >> aggregator >> scheduler,",
        "a >> [b, c] >> d for branches, a Swarm, or the one Swarm class the cell defines.",
        "It returns at once: fl.wait() waits, fl.stop() stops, fl.metrics, fl.globals and fl.logs show.",
    ),
)

START = Verb(
    "%manta start",
    "start nodes on this machine, with data",
    "%manta start --nodes 8 --data digits --partition dirichlet --alpha 0.3",
    (
        Option(
            "--nodes",
            "how many nodes",
            "N",
            values.whole(1),
            default_text="4, or the subfolders of --data FOLDER",
            sample="8",
        ),
        Option(
            "--workers",
            "processes that host the nodes",
            "N",
            values.whole(1),
            default_text="one a node, fewer for many nodes",
            sample="2",
        ),
        Option(
            "--data",
            "digits, breast_cancer, wine, diabetes, a .npz, .csv or .pt file, a folder of folders (a node each), "
            "$variable, NAME=any",
            "DATA",
            default_text="no data",
            sample="digits",
            kind="dataset",
        ),
        Option(
            "--partition",
            "how a dataset is shared out",
            "HOW",
            values.choice("iid", "dirichlet", "shards", "sizes"),
            default_text="iid; dirichlet with --alpha, shards with --labels-per-node, sizes with --sizes",
            sample="dirichlet",
            kind="iid|dirichlet|shards|sizes",
        ),
        Option(
            "--alpha",
            "dirichlet: the smaller, the less alike the nodes",
            "A",
            values.number(0),
            default_text="0.5",
            sample="0.3",
        ),
        Option(
            "--labels-per-node",
            "shards: labels each node has",
            "K",
            values.whole(1),
            default_text="2",
            sample="2",
        ),
        Option("--sizes", "sizes: ratios of the nodes' shares", "1,2,7", values.ratios, sample="1,2,7"),
        Option("--min-size", "least samples of a node", "N", values.whole(1), 10, sample="10"),
        Option(
            "--test",
            "the test set: the same on each node, or split like the rest",
            "shared|local",
            values.choice("shared", "local"),
            "shared",
            sample="local",
            kind="shared|local",
        ),
        Option(
            "--resize",
            "side of the digits' images in pixels",
            "N",
            values.whole(1),
            default_text="8",
            sample="28",
        ),
        Option(
            "--label", "the array that holds the labels", "NAME", default_text="y_train or y", sample="target"
        ),
        Option("--seed", "makes the split of the data repeatable", "N", values.whole(0), 0, sample="7"),
        Option(
            "--memory-limit",
            "memory a worker's tasks may take",
            "SIZE",
            values.memory,
            default_text="no limit",
            sample="2GB",
        ),
    ),
    (
        "Started again with the same options it shows what is there; with others the nodes are replaced.",
        "The nodes are a Session: s = %manta start --nodes 8.",
    ),
)

NODE_VERBS: tuple[Verb, ...] = (
    START,
    Verb("%manta nodes", "the nodes: their state and their datasets", "%manta nodes"),
    Verb(
        "%manta use",
        "use a Session made by hand",
        "%manta use s",
        (Option("SESSION", "the variable that holds it", read=values.identifier, required=True),),
    ),
    Verb("%manta shutdown", "stop the runs and the nodes", "%manta shutdown"),
)
