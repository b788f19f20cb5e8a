"""FEDn compute packages on the nodes of a session.

```
from manta_nb import fedn

run = fedn.run("package.tgz", seed_model="seed.npz", rounds=6, nodes=3, data="digits")
run.wait()
fedn.validations(run)            # by round and node
fedn.trail(run)                  # the models, with their parents
fedn.save_model(run, "model.npz")
```
`FEDN.md` says what a package finds, and what takes the place of FEDn's clients and servers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manta_nb.fedn.api import APIClient
    from manta_nb.fedn.launching import run
    from manta_nb.fedn.outcome import failures, save_model, trail, validations

__all__ = ["APIClient", "failures", "run", "save_model", "trail", "validations"]

#: public name → where it lives; loaded when first asked for
_HOMES = {
    "APIClient": "manta_nb.fedn.api",
    "failures": "manta_nb.fedn.outcome",
    "run": "manta_nb.fedn.launching",
    "save_model": "manta_nb.fedn.outcome",
    "trail": "manta_nb.fedn.outcome",
    "validations": "manta_nb.fedn.outcome",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'manta_nb.fedn' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
