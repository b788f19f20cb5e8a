"""The small packages that tests run."""

from __future__ import annotations

from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "fixtures" / "fedn_packages"


def client(name: str) -> Path:
    """The folder of one of them that holds `fedn.yaml`."""
    return next((PACKAGES / name).glob("*/fedn.yaml")).parent
