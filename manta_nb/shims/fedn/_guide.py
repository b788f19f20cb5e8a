"""What an import of a part of FEDn that is not here says, instead of a bare "No module named"."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["Guide", "show_the_way"]

#: parts of FEDn that have nothing to do in a program that an entry point runs, and what does their work
_INSTEAD = {
    "FednClient": "manta_nb's nodes call the entry points of fedn.yaml and need no client",
    "clients": "manta_nb's nodes call the entry points of fedn.yaml and need no client",
    "cli": "use the command manta-nb fedn",
}
_HERE = "it has utils.helpers, utils.plugins, common.log_config, network.combiner.hooks and APIClient"


class Guide:
    """A finder that comes after all others, and finds nothing: it explains."""

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for a part of this package; None for everything else."""
        del path, target
        if fullname.startswith(f"{self.root}.") and self._is_ours():
            # With the name of the module, "from fedn import X" would ignore this error and say less.
            raise ModuleNotFoundError(_explanation(fullname), name=self.root)
        return None

    def _is_ours(self) -> bool:
        """Whether the package that is imported now is this one, and not a real FEDn that took its place."""
        file = getattr(sys.modules.get(self.root), "__file__", None)
        return file is not None and Path(file).parent == Path(__file__).parent


def show_the_way(root: str) -> None:
    """Have missing parts of the package `root` explained; only for `fedn`, the name that programs import."""
    if root == "fedn":
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != Guide.__name__]
        sys.meta_path.append(Guide(root))


def _explanation(fullname: str) -> str:
    instead = next((text for part, text in _INSTEAD.items() if part in fullname.split(".")), _HERE)
    return f"manta_nb's fedn has no {fullname[:60]}: {instead}; real_fedn=True takes the installed fedn"
