"""From a package and options to what the nodes are given: settings and a first model, checked before anything runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, Literal

from manta_nb.compat.fedn.models.files import find_helper, load_seed
from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.python.pythonenv import look_at_python
from manta_nb.compat.fedn.rounds.initial import make_seed
from manta_nb.compat.fedn.rounds.settings import EVERY_NODE, Settings
from manta_nb.compat.fedn.server.aggregators import check_aggregator
from manta_nb.compat.fedn.server.functions import source_of
from manta_nb.data.loading import BUNDLED
from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims import real_place
from manta_nb.shims.fedn.utils.helpers.helpers import OLD_PLUGINS, PLUGINS

__all__ = ["Environments", "PathLike", "Prepared", "Wishes", "prepare", "read_environments"]

PathLike = str | os.PathLike[str]
Environments = Mapping[str, Mapping[str, str]]

#: programs of FEDn up to 0.4 knew no metadata
#: what no environment variable can hold
_UNFIT = re.compile("[\0\ud800-\udfff]")
_BEFORE_METADATA = re.compile(r"fedn\.utils\.(?:keras|pytorch|numpyarray)helper\b")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a package is to be run; `manta_nb.fedn.run` says what each of these means."""

    seed_model: PathLike | None = None
    rounds: int = 5
    nodes: int | Sequence[str] | None = None
    data: object = None
    seed: int | None = None
    node_env: PathLike | Environments | None = None
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
    #: further options of `Session`
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def common(self) -> str | None:
        """The folder that all nodes see as `../data`, where `data` is one without subfolders; else None."""
        return _common_folder(self.data, self.nodes)

    def with_named_nodes(self) -> Wishes:
        """The same for new nodes: where nothing else says which, those that `node_env` names.

        Raises:
            UsageError: `node_env` cannot be read.
        """
        named = [node for node in read_environments(self.node_env) if node != EVERY_NODE]
        free = self.nodes is None and (self.data is None or self.common is not None)
        return replace(self, nodes=named) if named and free else self

    def session_options(self) -> dict[str, Any]:
        """What a `Session` for this run is asked for."""
        data = None if self.common else self.data
        given = {"nodes": self.nodes, "data": data, **self.options}
        return {key: value for key, value in given.items() if value is not None}


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
        for name in self.settings.environments:
            if name != EVERY_NODE and name not in node_ids:
                near = did_you_mean(name, node_ids)
                raise UsageError(
                    one_line(f"node_env: no node {shorten(name, 40)!r}{near}: there are {listed(node_ids)}")
                )
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


def _common_folder(data: object, nodes: object) -> str | None:
    # `digits` are the digits, also where a folder is called so
    if not isinstance(data, str | os.PathLike) or data in BUNDLED:
        return None
    folder = Path(data).expanduser()
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return None
    inside = [entry for entry in entries if entry.is_dir()]
    # a single subfolder is not one for each of several nodes: `data/clients/1/…`, `data/MedNIST/…`
    common = not inside or (len(inside) == 1 and isinstance(nodes, int) and nodes > 1)
    return str(folder.resolve()) if common else None


def read_environments(given: PathLike | Environments | None) -> dict[str, dict[str, str]]:
    """Variables by node: a dict, or a JSON file that holds one; `"*"` stands for every node.

    Example:
        >>> read_environments({"node_0": {"ENTRYPOINT_OPTS": "--lr=0.1"}})
        {'node_0': {'ENTRYPOINT_OPTS': '--lr=0.1'}}
    """
    if given is None:
        return {}
    table: object = given
    if isinstance(given, str | os.PathLike):
        try:
            table = json.loads(Path(given).expanduser().read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(one_line(f"node_env: cannot read {given}: {error.strerror}")) from error
        except (ValueError, RecursionError) as error:
            raise UsageError(one_line(f"node_env: {given} is not JSON: {error}")) from error
    if not isinstance(table, Mapping) or not all(isinstance(each, Mapping) for each in table.values()):
        raise UsageError('node_env is {"node_0": {"NAME": "value"}, …}: a node, and its variables')
    return {str(node): _variables(str(node), each) for node, each in table.items()}


def _variables(node: str, given: Mapping[Any, Any]) -> dict[str, str]:
    for name, value in given.items():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not plain or _UNFIT.search(str(value)) or not re.fullmatch(r"[^=\0]+", str(name)):
            raise UsageError(
                one_line(
                    f"node_env: {shorten(str(name), 40)} of {shorten(node, 40)} must be a text or a number, "
                    f"got {shorten(repr(value), 40)}"
                )
            )
    return {str(name): str(value) for name, value in given.items()}
