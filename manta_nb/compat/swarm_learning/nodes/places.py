"""Where the script of a node finds what it needs.

```
<node>/swarmml/model      a copy of the script's folder: its working directory, MODEL_DIR, where it saves
<node>/swarmml/data       the node's data: DATA_DIR; also `./data` and `../data` of the working directory
<node>/swarmml/scratch    SCRATCH_DIR
```
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from manta_nb.compat.nodedata import lay_out
from manta_nb.compat.processes.environment import SITE, environment
from manta_nb.compat.swarm_learning.folder import Program
from manta_nb.compat.swarm_learning.nodes.isolation import (
    PLATFORM_MODEL,
    inside,
    needs_platform,
    platform_binds,
)
from manta_nb.errors import PackageError
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims import shim_folder

__all__ = ["Places"]


@dataclass(frozen=True)
class Places:
    """The folders of one node; made by `prepare`, and found again by it when the node comes back."""

    #: the folder of the node: everything is below it
    root: Path
    #: whether the script names `/platform/…`
    platform: bool = False

    @property
    def model(self) -> Path:
        """The node's model directory."""
        return self.root / "swarmml" / "model"

    @property
    def data(self) -> Path:
        """The node's data directory."""
        return self.root / "swarmml" / "data"

    @property
    def scratch(self) -> Path:
        """For whatever a script wants to put somewhere."""
        return self.root / "swarmml" / "scratch"

    @classmethod
    def prepare(
        cls, root: Path, program: Callable[[], Program], datasets: Mapping[str, Dataset], common: str | None
    ) -> Self:
        """Make the folders, unless they are there: what a script wrote stays.

        Args:
            root: the folder of the node.
            program: gives the script and its folder.
            datasets: the data of the node.
            common: a folder that all nodes have as their data.

        Raises:
            PackageError: they cannot be made.
        """
        files = program()
        places = cls(root.absolute(), needs_platform(files.texts()))
        try:
            places.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not places.model.exists():
                files.unpack(places.model)
            if common is not None:
                _link(places.data, Path(common))
            elif lay_out(places.data, datasets) is None:
                places.data.mkdir(exist_ok=True)
            # scripts fall back to ./data and ./model where no variable says otherwise
            _link(places.model / "data", places.data)
            if any("./model" in text for text in files.texts()):
                _link(places.model / "model", places.model)
        except OSError as error:
            where = shorten(str(root), 80)
            raise PackageError(
                one_line(f"no folders can be made in {where}: {error.strerror or error}")
            ) from error
        return places

    def environment(self, given: Mapping[str, str], seed: int, **own: str) -> dict[str, str]:
        """Every variable of the script; what was given for it counts most.

        Args:
            given: variables of this node.
            seed: of the script's random numbers.
            own: further ones of ours.
        """
        ours = {
            "DATA_DIR": str(self.data),
            "MODEL_DIR": str(self.model),
            "SCRATCH_DIR": str(self.scratch),
            "PWD": PLATFORM_MODEL if self.platform else str(self.model),
            # a node has as many cores as its process was given, also for TensorFlow
            "TF_NUM_INTRAOP_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        return environment(
            os.environ,
            {**ours, **own, **given},
            shims=str(shim_folder()),
            site=str(SITE),
            interpreter=sys.executable,
            seed=seed,
            wrappers=self.root / ".python",
        )

    def command(self, argv: list[str]) -> list[str]:
        """What is really started, in the model directory.

        Raises:
            PackageError: the script names `/platform/…`, and this machine cannot give each node its own.
        """
        if not self.platform:
            return argv
        return inside(argv, platform_binds(self.data, self.model, self.scratch), PLATFORM_MODEL)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() != target:
        # the session's folder is another one after a resume
        link.unlink()
    if not link.exists():
        link.symlink_to(target, target_is_directory=True)
