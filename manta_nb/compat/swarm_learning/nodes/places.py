"""Where the script of a node finds what it needs.

```
<node>/swarmml/model           a copy of the script's folder: its working directory, MODEL_DIR, where it saves
<node>/swarmml/model/scratch   SCRATCH_DIR, where newer scripts save
<node>/swarmml/data            the node's data: DATA_DIR; also `./data` and `../data` of the working directory
```
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
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
    says,
)
from manta_nb.errors import PackageError
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims import shim_folder

__all__ = ["Places"]

_HERE = re.compile(r"\./model\b")
_READS = re.compile(r"\b(?:DATA_DIR|MODEL_DIR)\b")


@dataclass(frozen=True)
class Places:
    """The folders of one node; made by `prepare`, and found again by it when the node comes back."""

    #: the folder of the node: everything is below it
    root: Path
    #: whether the script names `/platform/…`
    platform: bool = False
    #: whether it reads DATA_DIR or MODEL_DIR, and may do without
    reads: bool = False

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
        return self.model / "scratch"

    @classmethod
    def prepare(
        cls,
        root: Path,
        program: Program,
        datasets: Mapping[str, Dataset],
        common: str | None,
        given: Iterable[str] = (),
    ) -> Self:
        """Make the folders, unless they are there: what a script wrote stays.

        Args:
            root: the folder of the node.
            program: the script and its folder.
            datasets: the data of the node.
            common: a folder that all nodes have as their data.
            given: words and variables of the script that may be paths.

        Raises:
            PackageError: they cannot be made.
        """
        texts = [*program.texts()]
        places = cls(root.absolute(), needs_platform([*texts, *given]), says(texts, _READS))
        try:
            places.model.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not places.model.exists():
                program.unpack(places.model)
            places.scratch.mkdir(exist_ok=True)
            if common is not None:
                _link(places.data, Path(common))
            elif lay_out(places.data, datasets) is None:
                places.data.mkdir(exist_ok=True)
            # scripts fall back to ./data and ./model where no variable says otherwise
            _link(places.model / "data", places.data)
            if says(texts, _HERE):
                _link(places.model / "model", places.model)
        except OSError as error:
            where = shorten(str(root), 80)
            raise PackageError(
                one_line(f"no folders can be made in {where}: {error.strerror or error}")
            ) from error
        return places

    def tidy(self) -> None:
        """Take away what only a running script needs: whoever looks for what it wrote finds it once."""
        for name in ("data", "model"):
            if (self.model / name).is_symlink():
                (self.model / name).unlink()

    def environment(self, given: Mapping[str, str], seed: int) -> dict[str, str]:
        """Every variable of the script; what was given for it counts most.

        Args:
            given: variables of this node.
            seed: of the script's random numbers.
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
            {**ours, **given},
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
        try:
            return inside(argv, platform_binds(self.data, self.model, self.scratch), PLATFORM_MODEL)
        except PackageError as error:
            if not self.reads:
                raise
            # a default that the variables stand before, as likely as not
            sys.stderr.write(f"going on without /platform/…: {error}\n")
            return argv


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() != target:
        # the session's folder is another one after a resume
        link.unlink()
    if not link.exists():
        link.symlink_to(target, target_is_directory=True)
