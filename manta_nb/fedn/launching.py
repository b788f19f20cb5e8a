"""`fedn.run`: a package on nodes, as an ordinary run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

from manta_nb.compat.fedn.package.archive import Package
from manta_nb.compat.fedn.rounds.swarm import PackageSwarm
from manta_nb.fedn.preparing import Prepared, Wishes, prepare
from manta_nb.session import foreign
from manta_nb.session.foreign import Environments, PathLike
from manta_nb.session.run import Run
from manta_nb.session.session import Session

__all__ = ["launch", "run"]


def run(
    package: PathLike | Package,
    *,
    seed_model: PathLike | None = None,
    rounds: int = 5,
    nodes: int | Sequence[str] | None = None,
    data: object = None,
    seed: int | None = None,
    session: Session | None = None,
    node_env: PathLike | Environments | None = None,
    helper: str | None = None,
    aggregator: str = "fedavg",
    aggregator_kwargs: Mapping[str, Any] | None = None,
    server_functions: object = None,
    min_clients: int = 1,
    timeout: float | None = None,
    validate: bool = True,
    startup: bool = True,
    python_env: Literal["ambient", "venv"] = "ambient",
    real_fedn: bool = False,
    cold: bool = False,
    checksum: str | None = None,
    name: str | None = None,
    wait: bool = False,
    say: Callable[[str], None] = print,
    **options: Any,
) -> Run:
    """Run a FEDn compute package: its rounds are the iterations of an ordinary run, which is returned at once.

    Args:
        package: a folder with `fedn.yaml`, or an archive: .tgz, .tar.gz, .tar.bz2, .zip.
        seed_model: the first model; None: the entry point `build`, or `init_seed` of the script, makes it.
        rounds: how many.
        nodes: how many, or their names; None: those of `data`, else those of `node_env`, else 4. Not with
            `session`.
        data: what the programs find in `../data`: see `Session`. A folder without subfolders is there for all.
        seed: makes the run repeatable, programs included: random, numpy and torch are seeded for each call.
        session: nodes to use; None: in a notebook those of `%manta start`, else new ones.
        node_env: node (or "*") → variables of its programs, such as ENTRYPOINT_OPTS; or a JSON file with that.
        helper: how models are read and written; None: what the package's code names, else "numpyhelper".
        aggregator: "fedavg" or "fedopt", with `aggregator_kwargs` as FEDn has them.
        server_functions: a class `ServerFunctions`, or its source text.
        min_clients: updates that a round needs; who fails is named and not waited for.
        timeout: seconds that an entry point may take; None: no limit.
        validate, startup: whether these entry points are called where the package has them.
        python_env: "ambient": the nodes' own Python, with a note on what is missing; "venv": what
            `python_env.yaml` asks for, built once.
        real_fedn: let the programs import an installed FEDn rather than manta_nb's helpers.
        cold: start a new Python for each call, rather than fork one that has the imports ready.
        checksum: sha256 that the archive must have.
        name: what the run is called; by default the package's name.
        wait: return when it is over.
        say: told in single lines what goes on before the run starts.
        options: further options of `Session`, such as `partition="dirichlet"` or `workers=2`.

    Raises:
        PackageError: the package or the model cannot be used. UsageError: an option cannot.

    Example:
        >>> run = fedn.run("package.tgz", seed_model="seed.npz", rounds=6, nodes=3, data="digits")
        >>> run.wait().metrics.plot("test_accuracy")
        >>> fedn.save_model(run, "model.npz")
    """
    asked = locals()
    wishes = Wishes(**{each.name: asked[each.name] for each in fields(Wishes)})
    prepared = prepare(package, wishes, say)
    for note in prepared.notes:
        say(note)
    made = foreign.start_on(session, wishes, say, lambda nodes: launch(nodes, prepared, wishes))
    return made.wait() if wait else made


def launch(session: Session, prepared: Prepared, wishes: Wishes) -> Run:
    """Start the rounds of a package that is prepared on the nodes of a session."""
    node_ids = list(session.nodes)
    settings = prepared.for_nodes(node_ids).settings
    swarm = PackageSwarm(settings, prepared.package, prepared.model, node_ids, wishes.timeout)
    return session.run(swarm, wishes.rounds, seed=wishes.seed, name=wishes.name)
