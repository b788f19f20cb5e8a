"""Where the package is, and its version."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

__all__ = ["get_package_path", "get_version"]


def get_version(package: str = "fedn") -> str:
    """The version of FEDn that this package stands for, whatever `package` is, as in FEDn."""
    del package
    return str(import_module("...", __name__).__version__)


def get_package_path() -> str:
    """The folder of the package."""
    return str(Path(__file__).resolve().parents[1])
