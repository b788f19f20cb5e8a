"""`APIClient`: a notebook that was written for FEDn's server runs on the nodes here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from manta_nb.errors import UsageError
from manta_nb.fedn.api.common import Common
from manta_nb.fedn.api.new import NewHistory, NewNetwork, NewSetup
from manta_nb.fedn.api.old import OldLists, OldSetup
from manta_nb.fedn.api.options import read_options, read_version
from manta_nb.fedn.api.project import Project
from manta_nb.fedn.api.sessions import Sessions
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.session import Session

__all__ = ["APIClient"]


class NotOffered(UsageError, AttributeError):
    """A name that this `APIClient` does not have."""


class APIClient(Sessions, Common, OldSetup, OldLists, NewSetup, NewNetwork, NewHistory):
    """FEDn's client of a server, without the server: sessions run on the nodes of the notebook, or on new ones.

    ```
    client = APIClient(nodes=3, data="digits")     # was: APIClient("localhost", 8092)
    client.set_package("package.tgz", helper="numpyhelper")
    client.set_initial_model("seed.npz")
    client.start_session(session_id="first", rounds=3)
    ```
    The names of FEDn 0.8 and those of 0.9 and later are all there. Names that both have answer as the generation
    does in which package and model were set (`set_package`: 0.8, `set_active_package`: from 0.9 on), or as
    `version` says.

    Args:
        host: is taken and not contacted, as are `port`, `secure`, `verify`, `token` and `auth_scheme`.
        session: nodes to use; None: in a notebook those of `%manta start`, else new ones, when they are needed.
        version: the release of FEDn whose JSON is wanted, such as "0.8" or "0.33"; None: the names tell.
        say: told in single lines what goes on.
        options: those of `fedn.run` that hold for all sessions: `nodes`, `data`, `node_env`, `seed`, `timeout`,
            `min_clients`, `startup`, `python_env`, `real_fedn`, `cold`, and further ones of `Session`.

    Raises:
        UsageError: there is no such option.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        secure: bool = False,
        verify: bool = False,
        token: str | None = None,
        auth_scheme: str | None = None,
        *,
        session: Session | None = None,
        version: str | None = None,
        say: Callable[[str], None] = print,
        **options: Any,
    ) -> None:
        del secure, verify, token, auth_scheme
        project = Project(read_options(options, session), session, say)
        super().__init__(project, read_version(version), say)
        self.host, self.port = host, port
        if host is not None:
            place = shorten(str(host), 80) + ("" if port is None else f":{str(port)[:5]}")
            say(f"{place} is not contacted: sessions run on nodes of this machine")

    @property
    def session(self) -> Session | None:
        """The nodes that are used; None before they are needed. Its `runs` are the sessions, as runs."""
        return self._project.session

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        offered = [each for each in dir(type(self)) if not each.startswith("_")]
        near = did_you_mean(name, offered)
        there = near or f": there are {listed(offered, 4)}; dir(client) lists them"
        raise NotOffered(one_line(f"APIClient of manta_nb has no {shorten(name, 40)}{there}"))

    def __repr__(self) -> str:
        package = self._project.package
        named = "none" if package is None else package.file_name
        sessions = len(self._project.trainings)
        return f"APIClient · package: {named} · models: {len(self._project.models())} · sessions: {sessions}"
