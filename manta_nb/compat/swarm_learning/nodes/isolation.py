"""`/platform/swarmml/…` of each node's own: a mount namespace, made by bubblewrap."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from manta_nb.errors import PackageError
from manta_nb.sdk.parse import one_line

__all__ = ["PLATFORM_MODEL", "inside", "needs_platform", "platform_binds", "says"]

PLATFORM_MODEL = "/platform/swarmml/model"
_MENTIONED = re.compile(r"/platform/(?:swarmml|data|model|scratch)")
#: what a script falls back to where we have set the variable
_FALLBACK = re.compile(
    r"""(?:getenv|environ\.get)\(\s*(['"])(?:DATA_DIR|MODEL_DIR|SCRATCH_DIR)\1\s*,\s*(['"])[^'"\n]*\2\s*\)"""
)
#: of the root of the machine: mounted in their own way, or not at all
_OWN = frozenset({"dev", "platform", "proc"})
#: seconds that a look whether it works may take
_PATIENCE = 20


def needs_platform(texts: Iterable[str]) -> bool:
    """Whether a script, what it imports, or what it was given names a path that is each node's own.

    >>> needs_platform(["DATA = '/platform/swarmml/data'"])
    True
    >>> needs_platform(["DATA = os.getenv('DATA_DIR', '/platform/swarmml/data')"])
    False
    """
    return says(texts, _MENTIONED)


def says(texts: Iterable[str], what: re.Pattern[str]) -> bool:
    """Whether one of the texts has `what`, other than as what DATA_DIR and the like fall back to."""
    return any(what.search(_FALLBACK.sub("", text)) for text in texts)


def platform_binds(data: Path, model: Path, scratch: Path) -> dict[str, tuple[Path, bool]]:
    """Path that scripts name → (folder of the node, whether it may be written)."""
    return {
        "/platform/swarmml/data": (data, False),
        PLATFORM_MODEL: (model, True),
        "/platform/swarmml/scratch": (scratch, True),
        "/platform/data": (data, False),
        "/platform/model": (model, True),
        "/platform/scratch": (scratch, True),
    }


def inside(argv: Sequence[str], binds: Mapping[str, tuple[Path, bool]], begin: str) -> list[str]:
    """The command that runs `argv` where `binds` are in place, beginning in the folder `begin`.

    Everything else of the machine is as it is outside. The root is a new one, so that nothing is made in the real one.

    Raises:
        PackageError: this machine cannot do that.
    """
    tool = shutil.which("bwrap")
    if tool is None:
        raise PackageError(
            "the script names /platform/…, and each node can only have its own with bubblewrap: "
            "apt install bubblewrap, or let it read DATA_DIR and MODEL_DIR"
        )
    command = [tool, "--die-with-parent", "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc", *_root()]
    for name, (folder, writable) in binds.items():
        command += ["--bind" if writable else "--ro-bind", str(folder), name]
    _try(command)
    return [*command, "--chdir", begin, *argv]


def _root() -> list[str]:
    """What stands in the root of this machine, under the same names."""
    arguments = []
    for entry in sorted(Path("/").iterdir()):
        if entry.name in _OWN:
            continue
        if entry.is_symlink():
            arguments += ["--symlink", os.readlink(entry), str(entry)]
        elif entry.is_dir():
            arguments += ["--bind-try", str(entry), str(entry)]
    return arguments


def _try(command: Sequence[str]) -> None:
    try:
        tried = subprocess.run(
            [*command, "true"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            errors="replace",
        )
        failed, told = tried.returncode, tried.stderr.strip().splitlines()
    except (OSError, subprocess.TimeoutExpired) as error:
        failed, told = 1, str(error).splitlines()
    if failed:
        why = (told or ["it says nothing"])[-1]
        raise PackageError(
            one_line(
                f"the script names /platform/…, and bubblewrap cannot make each node's own here ({why}): "
                "let it read DATA_DIR and MODEL_DIR"
            )
        )
