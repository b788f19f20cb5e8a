"""What this machine can do: how children start, and how values travel. Tests force the poorer ways."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from manta_nb.errors import UsageError
from manta_nb.runtime.runners.segments import have_memfd

__all__ = ["Capabilities", "HostTag", "Start", "host_tag", "probe"]

Start = Literal["fork", "exec", "spawn", "inline"]


@dataclass(frozen=True)
class Capabilities:
    """How children of a worker start, and whether values lie in memory that processes share."""

    start: Start
    shared_values: bool


def probe(runner: str = "process") -> Capabilities:
    """What is possible here; `MANTA_NB_START` and `MANTA_NB_VALUES` ("shared", "transfer") override."""
    if runner not in ("process", "inline"):
        raise UsageError(f"runner must be 'process' or 'inline', got {str(runner)[:60]!r}")
    default = {"linux": "fork", "darwin": "exec"}.get(sys.platform, "spawn")
    start = "inline" if runner == "inline" else os.environ.get("MANTA_NB_START", default)
    if start not in ("fork", "exec", "spawn", "inline"):
        raise UsageError(f"MANTA_NB_START must be fork, exec, spawn or inline, got {start!r}")
    values = os.environ.get("MANTA_NB_VALUES", "shared" if have_memfd() else "transfer")
    if values not in ("shared", "transfer"):
        raise UsageError(f"MANTA_NB_VALUES must be shared or transfer, got {values!r}")
    return Capabilities(start, values == "shared" and start != "spawn" and have_memfd())  # type: ignore[arg-type]


@dataclass(frozen=True)
class HostTag:
    """Two processes with equal tags can open each other's memory."""

    boot: str
    namespace: str
    uid: int
    shared_values: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def host_tag(shared_values: bool) -> HostTag:
    """The tag of this process."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = "/proc/self/ns/pid"
    return HostTag(
        boot=boot.read_text(encoding="ascii").strip() if boot.exists() else "",
        namespace=os.readlink(namespace) if os.path.lexists(namespace) else "",
        uid=os.getuid() if hasattr(os, "getuid") else -1,
        shared_values=shared_values,
    )
