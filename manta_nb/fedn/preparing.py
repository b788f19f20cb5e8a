"""From a package and options to what the nodes are given: settings and a first model, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

from manta_nb.compat.fedn.models.files import find_helper, load_seed
from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.python.pythonenv import look_at_python
from manta_nb.compat.fedn.rounds.initial import make_seed
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.server.aggregators import check_aggregator
from manta_nb.compat.fedn.server.functions import source_of
from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.foreign import NodeWishes, PathLike, check_named, read_environments
from manta_nb.shims import real_place
from manta_nb.shims.fedn.utils.helpers.helpers import OLD_PLUGINS, PLUGINS

__all__ = ["Prepared", "Wishes", "prepare"]

#: programs of FEDn up to 0.4 knew no metadata
_BEFORE_METADATA = re.compile(r"fedn\.utils\.(?:keras|pytorch|numpyarray)helper\b")


@dataclass(frozen=True, kw_only=True)
class Wishes(NodeWishes):
    """How a package is to be run; `manta_nb.fedn.run` says what each of these means."""

    seed_model: PathLike | None = None
    rounds: int = 5
    seed: int | None = None
    helper: str | None = None
    aggregator: str = "fedavg"
    aggregator_kwargs: Mapping[str, Any] | None = None
    server_functions: object = None
    min_clients: int = 1
    timeout: float | None = None
    validate: bool = True
    startup: bool = True
    python_env: Literal["ambient", "venv"] = "ambient"
    real_fedn: bool = False
    cold: bool = False
    checksum: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A package that is ready to run: what the nodes are told, and the model the first round begins with."""

    package: Package
    settings: Settings
    model: Any
    #: one line each: what was decided, and what may be missing
    notes: tuple[str, ...] = ()

    def for_nodes(self, node_ids: list[str]) -> Prepared:
        """The same, once it is known which nodes there are.

        Raises:
            UsageError: variables for a node that is not there, or fewer nodes than a round needs.
        """
        check_named(self.settings.environments, node_ids)
        needed = self.settings.min_clients
        if needed > len(node_ids):
            raise _too_few(needed, len(node_ids))
        return self


def prepare(
    package: PathLike | Package, wishes: Wishes, say: Callable[[str], None], model: Any = None
) -> Prepared:
    """Read the package and the first model, or make that; `say` is told in single lines what goes on.

    `model`: the first model as arrays, where somebody has read it already.

    Raises:
        PackageError: the package, its archive or the model is not usable. UsageError: an option is not.
    """
    _check(wishes)
    found = package if isinstance(package, Package) else read_package(Path(package), wishes.checksum)
    sources = found.sources()
    _check_helper(wishes.helper, sources)
    commands = dict(found.spec.entry_points)
    if not wishes.validate:
        commands.pop("validate", None)
    settings = Settings(
        package=found.name,
        checksum=found.checksum,
        commands=commands,
        helper=wishes.helper or find_helper(sources),
        environments=read_environments(wishes.node_env),
        data=wishes.common,
        python_env=wishes.python_env,
        environment_file=found.spec.python_env,
        cold=wishes.cold,
        real_fedn=wishes.real_fedn,
        startup=wishes.startup,
        metadata=not any(_BEFORE_METADATA.search(text) for text in sources.values()),
        min_clients=wishes.min_clients,
        aggregator=wishes.aggregator,
        aggregator_kwargs=check_aggregator(wishes.aggregator, wishes.aggregator_kwargs or {}),
        client_settings=found.settings,
        server_functions="" if wishes.server_functions is None else source_of(wishes.server_functions),
    )
    told = [] if wishes.common is None else [f"../data of every node is {shorten(wishes.common, 120)}"]
    notes = [*found.notes, *told, *_about_python(found, settings)]
    seed = wishes.seed_model
    if model is None:
        model = (
            make_seed(found, settings, wishes.seed, say)
            if seed is None
            else load_seed(Path(seed), settings.helper)
        )
    return Prepared(found, settings, model, tuple(notes))


def _about_python(package: Package, settings: Settings) -> list[str]:
    """What the nodes' Python lacks of what the package asks for: told, as the package may do without."""
    if settings.python_env == "ambient":
        return look_at_python(package)
    named = package.spec.python_env is not None
    return [] if named else [f"{package.name} names no python_env: the nodes' own Python is used"]


def _check_helper(name: str | None, sources: Mapping[str, str]) -> None:
    """Refuse a helper that neither FEDn nor the package has."""
    known = (*PLUGINS, *OLD_PLUGINS)
    if name is not None and name not in known and not any(PurePath(path).stem == name for path in sources):
        near = did_you_mean(name, known)
        raise UsageError(one_line(f"no helper {shorten(name, 40)!r}{near}: there are {', '.join(PLUGINS)}"))


def _too_few(needed: int, nodes: int) -> UsageError:
    there = "there is 1 node" if nodes == 1 else f"there are {nodes} nodes"
    return UsageError(f"min_clients={needed}, but {there}: lower it, or give nodes={needed}")


def _check(wishes: Wishes) -> None:
    for name in ("min_clients", "rounds"):
        value = getattr(wishes, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} must be a whole number ≥ 1, got {shorten(repr(value), 40)}")
    if isinstance(wishes.nodes, int) and wishes.min_clients > wishes.nodes:
        raise _too_few(wishes.min_clients, wishes.nodes)
    if wishes.real_fedn and wishes.python_env == "ambient" and not real_place("fedn"):
        raise UsageError("real_fedn: no FEDn is installed here: pip install fedn, or leave real_fedn out")
    if wishes.python_env not in ("ambient", "venv"):
        raise UsageError(
            f"python_env must be 'ambient' or 'venv', got {shorten(repr(wishes.python_env), 40)}"
        )
